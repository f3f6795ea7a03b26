/** What files of user code keep in memory: `state` per session, for as long as it is in use, and `locals` per exchange. */

import { createHash } from "node:crypto";

import type { UnitStores, Writes } from "../sandbox/protocol.ts";
import { BoundedValues, noValues } from "./bounded-values.ts";

export interface StateStore {
  /** @param session undefined when the request names none: then `state` lasts as long as the exchange */
  exchange(session: string | undefined): ExchangeStores;
  status(): { readonly sessions: number; readonly bytes: number };
}

/** The stores of one exchange; `locals` go when it does. Units of the same file share theirs. */
export interface ExchangeStores {
  /** What travels with a call of the file; undefined when both stores are empty. */
  get(file: string): UnitStores | undefined;
  /** Takes the writes of an outcome. @returns what was refused, for the log */
  commit(file: string, writes: Pick<Writes, "state" | "locals">): readonly string[];
}

export interface StateLimits {
  /** Of `state` and of `locals`, per file: characters of JSON. */
  readonly fileLength: number;
  readonly sessions: number;
  /** Of all sessions together, as they take up memory. */
  readonly totalBytes: number;
}

const defaultLimits: StateLimits = { fileLength: 64 * 1024, sessions: 2_000, totalBytes: 64 * 1024 * 1024 };

/** Longer ones, which no client sends, are kept as a hash: the key must not outgrow what it stands for. */
const maxSessionKey = 200;
/** What a session and a file cost beside their values, roughly. */
const overheadBytes = 400;

interface Session {
  readonly files: Map<string, BoundedValues>;
  bytes: number;
}

/** The least recently used sessions are forgotten first. */
export function createStateStore(limits: StateLimits = defaultLimits): StateStore {
  // A Map keeps the order of insertion: the first is the one not used for longest.
  const sessions = new Map<string, Session>();
  let totalBytes = 0;

  function use(key: string): Session | undefined {
    const session = sessions.get(key);
    if (session === undefined) return undefined;
    sessions.delete(key);
    sessions.set(key, session);
    return session;
  }

  function forgetOldest(): void {
    for (const [key, session] of sessions) {
      if (sessions.size <= limits.sessions && totalBytes <= limits.totalBytes) return;
      sessions.delete(key);
      totalBytes -= session.bytes;
    }
  }

  function commitState(key: string, file: string, writes: NonNullable<Writes["state"]>): string | undefined {
    const session = use(key) ?? { files: new Map(), bytes: 0 };
    const values = session.files.get(file) ?? new BoundedValues(limits.fileLength);
    const refused = values.commit(writes);
    if (refused !== undefined) return refused;
    if (values.cost === 0) session.files.delete(file);
    else session.files.set(file, values);
    totalBytes -= session.bytes;
    session.bytes = sizeOf(session);
    totalBytes += session.bytes;
    if (session.files.size === 0) sessions.delete(key);
    else sessions.set(key, session);
    forgetOldest();
    return undefined;
  }

  return {
    exchange(session) {
      const key = session === undefined ? undefined : sessionKey(session);
      const ownState = new Map<string, BoundedValues>();
      const locals = new Map<string, BoundedValues>();

      function commitOwn(store: Map<string, BoundedValues>, file: string, writes: NonNullable<Writes["state"]>): string | undefined {
        const values = store.get(file) ?? new BoundedValues(limits.fileLength);
        store.set(file, values);
        return values.commit(writes);
      }

      return {
        get(file) {
          const state = (key === undefined ? ownState.get(file) : use(key)?.files.get(file))?.values ?? noValues;
          const local = locals.get(file)?.values ?? noValues;
          return state === noValues && local === noValues ? undefined : { state, locals: local };
        },
        commit(file, { state, locals: local }) {
          const refused: string[] = [];
          const add = (store: string, what: string | undefined): void => {
            if (what !== undefined) refused.push(`context.${store} of ${file} ${what}`);
          };
          if (state !== undefined) add("state", key === undefined ? commitOwn(ownState, file, state) : commitState(key, file, state));
          if (local !== undefined) add("locals", commitOwn(locals, file, local));
          return refused;
        },
      };
    },
    status: () => ({ sessions: sessions.size, bytes: totalBytes }),
  };
}

function sizeOf({ files }: Session): number {
  let bytes = files.size === 0 ? 0 : overheadBytes;
  for (const values of files.values()) bytes += values.cost + overheadBytes;
  return bytes;
}

function sessionKey(session: string): string {
  return session.length <= maxSessionKey ? session : `sha256:${createHash("sha256").update(session).digest("hex")}`;
}
