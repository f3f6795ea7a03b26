/** A store of replies that may be away: it then has nothing, and nobody waits for it for long. */

import type { CachedReply, CacheStore } from "../../sdk/cache.ts";
import type { Logger } from "../../sdk/log.ts";
import type { CacheFigures } from "./figures.ts";

export interface PatientStoreServices {
  readonly logger: Pick<Logger, "warn">;
  readonly cacheFigures: CacheFigures;
  /** Monotonic ms. */
  readonly now: () => number;
}

export interface PatientStore {
  /** Undefined for a failure, too. Never rejects. */
  get(key: string): Promise<CachedReply | undefined>;
  /** Begun in this turn. Resolves to whether it was stored; never rejects. */
  put(key: string, reply: CachedReply, ttlMs: number): Promise<boolean>;
}

const longestWaitMs = 250;
/** One that has not answered in time is left alone for so long. */
const restMs = 5000;
const loggedEveryMs = 60_000;

/** What is known of each store, whoever asks it. */
const states = new WeakMap<object, { restsUntil: number; loggedAt: number | undefined }>();

export function patient(store: Pick<CacheStore, "get" | "put">, { logger, cacheFigures, now }: PatientStoreServices): PatientStore {
  const state = states.get(store) ?? { restsUntil: -Infinity, loggedAt: undefined };
  states.set(store, state);

  function failed(error: unknown): void {
    cacheFigures.failed();
    const time = now();
    if (error instanceof TooSlow) state.restsUntil = time + restMs;
    if (state.loggedAt !== undefined && time - state.loggedAt < loggedEveryMs) return;
    state.loggedAt = time;
    logger.warn({ error }, "the cache cannot be used; requests go on without it");
  }

  return {
    async get(key) {
      if (now() < state.restsUntil) return undefined;
      try {
        const found = store.get(key);
        return found instanceof Promise ? await inTime(found) : found;
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
    async put(key, reply, ttlMs) {
      if (now() < state.restsUntil) return false;
      try {
        await store.put(key, reply, ttlMs);
        return true;
      } catch (error) {
        failed(error);
        return false;
      }
    },
  };
}

class TooSlow extends Error {
  override readonly name = "TooSlow";
}

function inTime<Value>(value: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TooSlow(`the cache has not answered within ${longestWaitMs} ms`)), longestWaitMs);
    value.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
