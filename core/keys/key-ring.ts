/**
 * Finds the virtual key of a secret, with whom it belongs to, and remembers it for as long as the store says that nothing has changed. While the
 * store is away, what was found not long ago goes on to hold; nobody else is let in.
 */

import { ProxyError } from "../../sdk/errors.ts";
import type { KeyStore } from "../../sdk/keys.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { andThen } from "../routing/awaitable.ts";
import type { KeyHolder } from "./access.ts";
import { readHolder } from "./read-holder.ts";
import { type RememberedKey, RememberedKeys } from "./remembered-keys.ts";
import { idOf } from "./secret.ts";

export interface KeyRingOptions {
  readonly keys: Pick<KeyStore, "get" | "version">;
  /** Monotonic ms. */
  readonly now: () => number;
  /** For how long a store that takes time to ask is believed, or left alone when it has failed, ms. Default: 500. One in this process is asked each time. */
  readonly believedMs?: number | undefined;
  /** For how long what was found holds while the store is away, ms. Default: 60,000. */
  readonly awayMs?: number | undefined;
  /** How long the store may take to answer for a key that was found before, ms. Default: 1000. */
  readonly patienceMs?: number | undefined;
  /** How many keys are remembered, and how many that are none. Default: 10,000. */
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

export function createKeyRing(options: KeyRingOptions): KeyRing {
  const { keys, now, believedMs = 500, awayMs = 60_000, patienceMs = 1000, maxRemembered = 10_000 } = options;
  /** Of the version that the store had last. */
  const remembered = new RememberedKeys(maxRemembered);
  const reading = new Map<string, Promise<KeyHolder | undefined>>();
  let version: string | undefined;
  /** When the store has said so. */
  let versionAt = -Infinity;
  /** Whether the store takes time to ask. */
  let isRemote = false;
  let asking: Promise<string> | undefined;
  let failure: { readonly error: unknown; readonly at: number } | undefined;

  function currentVersion(): Awaitable<string> {
    if (isRemote && version !== undefined && now() - versionAt < believedMs) return version;
    if (asking !== undefined) return asking;
    // One that is away lets each request wait until it gives up.
    if (isRemote && failure !== undefined && now() - failure.at < believedMs) throw failure.error;
    const said = keys.version();
    if (typeof said === "string") return noteVersion(said);
    isRemote = true;
    asking = said.then(noteVersion, noteFailure).finally(() => (asking = undefined));
    return asking;
  }

  function noteVersion(said: string): string {
    // Of a store that has changed, nothing that is remembered is of use.
    if (said !== version) remembered.clear();
    version = said;
    versionAt = now();
    return said;
  }

  function noteFailure(error: unknown): never {
    failure = { error, at: now() };
    throw error;
  }

  function look(id: string, secret: string): Awaitable<KeyHolder | undefined> {
    return andThen(currentVersion(), (at) => {
      const known = remembered.get(id);
      if (known !== undefined) {
        remembered.set(id, known);
        return known.holder;
      }
      return andThen(readHolder(keys, id, secret), (holder) => {
        // What was read before a change says nothing about after it.
        if (at === version) remembered.set(id, { holder });
        return holder;
      });
    });
  }

  /** What held when the store was last heard. */
  function lastKnown(id: string): RememberedKey | undefined {
    return now() - versionAt < awayMs ? remembered.get(id) : undefined;
  }

  function whenAway(id: string, error: unknown): KeyHolder | undefined {
    const known = lastKnown(id);
    if (known !== undefined) return known.holder;
    throw new ProxyError("Keys cannot be checked at the moment.", {
      status: 503,
      kind: "api_error",
      headers: { "retry-after": "5" },
      cause: error,
    });
  }

  /** One that hangs is as good as away, for those who need not wait for it. */
  async function impatiently(id: string, found: Promise<KeyHolder | undefined>): Promise<KeyHolder | undefined> {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), patienceMs);
    const first = await Promise.race([found.then((holder) => ({ holder })), late.promise]).finally(() => clearTimeout(timer));
    const said = first ?? lastKnown(id);
    return said === undefined ? found : said.holder;
  }

  return {
    find(secret) {
      const id = idOf(secret);
      try {
        const waiting = reading.get(id);
        if (waiting !== undefined) return impatiently(id, waiting);
        const found = look(id, secret);
        if (!(found instanceof Promise)) return found;
        const shared = found.catch((error: unknown) => whenAway(id, error)).finally(() => reading.delete(id));
        reading.set(id, shared);
        return impatiently(id, shared);
      } catch (error) {
        return whenAway(id, error);
      }
    },
  };
}
