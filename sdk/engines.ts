/** What keeps the stores: each engine is opened with what it needs, and brings the stores it is good at. */

import type { Outbox } from "./outbox.ts";
import type { PresenceStore } from "./presence.ts";
import type { Engine, Stores } from "./stores.ts";

interface Clock {
  /** ms since 1970. */
  readonly wallClock: () => number;
}

export interface EngineOptions {
  readonly memory: Clock & { /** Monotonic ms. */ readonly now: () => number; readonly maxCacheBytes?: number | undefined };
  readonly sqlite: Clock & { readonly path: string; readonly maxCacheBytes?: number | undefined };
  readonly postgres: { readonly url: string; readonly poolSize: number };
  readonly redis: {
    readonly url: string | undefined;
    readonly host: string;
    readonly port: number;
    readonly username: string | undefined;
    readonly password: string | undefined;
    readonly db: number;
    readonly tls: boolean;
    /** Opens even when the server is not there: it is used as soon as it is. */
    readonly mayBeAway: boolean;
  };
}

type With<Concern extends keyof Stores> = Engine & Required<Pick<Stores, Concern>>;

export interface OpenedEngines {
  readonly memory: With<"ledger" | "keys" | "limits" | "cache">;
  readonly sqlite: With<keyof Stores> & { readonly outbox: Outbox; readonly presence: PresenceStore };
  readonly postgres: With<"ledger" | "keys" | "limits"> & { readonly presence: PresenceStore };
  readonly redis: With<"limits" | "cache" | "routing">;
}

/** Each rejects with an error that says what is wrong and what to do, and names no password. */
export type EngineOpeners = { readonly [Name in keyof EngineOptions]: (options: EngineOptions[Name]) => Promise<OpenedEngines[Name]> };
