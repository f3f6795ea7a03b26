/**
 * Finds the virtual key of a secret, with whom it belongs to, and remembers it for as long as the store says that nothing has changed. While the
 * store is away, what was found not long ago goes on to hold; nobody else is let in.
 */

import { ProxyError } from "../../sdk/errors.ts";
import type { KeyStore } from "../../sdk/keys.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { andThen } from "../routing/awaitable.ts";
import type { KeyHolder } from "./access.ts";
import { withBudget } from "./rights.ts";
import { idOf } from "./secret.ts";

export interface KeyRingOptions {
  readonly keys: Pick<KeyStore, "get" | "version">;
  /** Monotonic ms. */
  readonly now: () => number;
  /** For how long a store that takes time to ask is believed, ms. Default: 500. One in this process is asked each time. */
  readonly believedMs?: number | undefined;
  /** For how long what was found holds while the store is away, ms. Default: 60,000. */
  readonly awayMs?: number | undefined;
  /** How many are remembered, those that were not found among them. Default: 10,000. */
  readonly maxRemembered?: number | undefined;
}

export interface KeyRing {
  /**
   * Nothing to wait for where the store answers at once, or is believed.
   *
   * @throws ProxyError 503 when nobody can tell
   */
  find(secret: string): Awaitable<KeyHolder | undefined>;
}

interface Remembered {
  /** Undefined: there is no such key. */
  readonly holder: KeyHolder | undefined;
  readonly version: string;
}

export function createKeyRing({ keys, now, believedMs = 500, awayMs = 60_000, maxRemembered = 10_000 }: KeyRingOptions): KeyRing {
  const remembered = new Map<string, Remembered>();
  const reading = new Map<string, Promise<KeyHolder | undefined>>();
  let version: string | undefined;
  /** When the store has said so. */
  let versionAt = -Infinity;
  /** Whether the store takes time to ask. */
  let isRemote = false;
  let asking: Promise<string> | undefined;

  function currentVersion(): Awaitable<string> {
    if (isRemote && version !== undefined && now() - versionAt < believedMs) return version;
    if (asking !== undefined) return asking;
    const said = keys.version();
    if (typeof said === "string") return noteVersion(said);
    isRemote = true;
    asking = said.then(noteVersion).finally(() => (asking = undefined));
    return asking;
  }

  function noteVersion(said: string): string {
    // Of a store that has changed, nothing that is remembered is of use.
    if (said !== version) remembered.clear();
    version = said;
    versionAt = now();
    return said;
  }

  function remember(id: string, entry: Remembered): KeyHolder | undefined {
    remembered.delete(id);
    remembered.set(id, entry);
    for (const oldest of remembered.keys()) {
      if (remembered.size <= maxRemembered) break;
      remembered.delete(oldest);
    }
    return entry.holder;
  }

  function look(id: string): Awaitable<KeyHolder | undefined> {
    return andThen(currentVersion(), (at) => {
      const known = remembered.get(id);
      if (known?.version === at) return remember(id, known);
      return andThen(read(id), (holder) => remember(id, { holder, version: at }));
    });
  }

  function read(id: string): Awaitable<KeyHolder | undefined> {
    return andThen(keys.get("key", id), (key) => {
      if (key === undefined) return undefined;
      const { userId, teamId } = key;
      const user = userId === undefined ? undefined : keys.get("user", userId);
      return andThen(user, (ofUser) =>
        andThen(teamId === undefined ? undefined : keys.get("team", teamId), (ofTeam) => {
          const owners = [key, ofUser, ofTeam].flatMap((owner) => (owner?.budgetId === undefined ? [] : [owner.budgetId]));
          return andThen(readBudgets(owners), (budgetOf) => ({
            key: withBudget(key, budgetOf.get(key.budgetId ?? "")),
            user: ofUser === undefined ? undefined : withBudget(ofUser, budgetOf.get(ofUser.budgetId ?? "")),
            team: ofTeam === undefined ? undefined : withBudget(ofTeam, budgetOf.get(ofTeam.budgetId ?? "")),
          }));
        }),
      );
    });
  }

  function readBudgets(ids: readonly string[], found: Budgets = new Map()): Awaitable<Budgets> {
    const [id, ...rest] = ids;
    if (id === undefined) return found;
    return andThen(keys.get("budget", id), (budget) => readBudgets(rest, budget === undefined ? found : new Map([...found, [id, budget]])));
  }

  return {
    find(secret) {
      const id = idOf(secret);
      const waiting = reading.get(id);
      if (waiting !== undefined) return waiting;
      const lastKnown = remembered.get(id);
      const whenAway = (error: unknown): KeyHolder | undefined => {
        if (lastKnown !== undefined && now() - versionAt < awayMs) return lastKnown.holder;
        throw new ProxyError("Keys cannot be checked at the moment.", {
          status: 503,
          kind: "overloaded_error",
          headers: { "retry-after": "5" },
          cause: error,
        });
      };
      try {
        const found = look(id);
        if (!(found instanceof Promise)) return found;
        const shared = found.catch(whenAway).finally(() => reading.delete(id));
        reading.set(id, shared);
        return shared;
      } catch (error) {
        return whenAway(error);
      }
    },
  };
}

type Budgets = ReadonlyMap<string, Parameters<typeof withBudget>[1]>;
