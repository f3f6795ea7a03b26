/**
 * A ledger that nobody waits for. What is written is appended to one list on this machine first, which takes microseconds and outlives the process,
 * and follows in its order to where it is indexed, be that a server that may be away or other tables of the same file: as many rows at a time as have
 * come together. A write may arrive twice, which a ledger takes for one.
 */

import type { LedgerStore, LedgerWrite } from "../../sdk/ledger.ts";
import type { Outbox, WaitingWrites } from "../../sdk/outbox.ts";

export interface OutboxOptions {
  /** For so long rows come together before they follow, ms. */
  readonly gatherMs: number;
  /** Calls of `write` in one transaction of the server's. */
  readonly batch: number;
  /** Between two attempts while the server is away, ms. */
  readonly retryMs: number;
  /** Told when the server goes away, and when everything has arrived. The error is that of the write. */
  readonly onChange: (
    change: { readonly isAway: true; readonly error: unknown } | { readonly isAway: false; readonly arrived: number },
  ) => void;
  /** What the server will never take, though it is there. */
  readonly onRefused: (writes: readonly LedgerWrite[], error: unknown) => void;
}

export interface OutboxedLedger extends LedgerStore {
  /** How many wait. */
  waiting(): Promise<number>;
  /** Resolves when nothing waits, or the server does not take it: for a stop, and for who reads what was just written. */
  flush(): Promise<void>;
}

type Offered = { readonly type: "taken" } | { readonly type: "refused" | "away"; readonly error: unknown };

/** @param ping of the server: tells whether it is there */
export function createOutboxedLedger(
  server: LedgerStore,
  outbox: Outbox,
  ping: () => Promise<void>,
  { gatherMs, batch, retryMs, onChange, onRefused }: OutboxOptions,
): OutboxedLedger {
  let isAway = false;
  /** Since the server went away. */
  let arrived = 0;
  let timer: NodeJS.Timeout | undefined;
  let draining: Promise<void> | undefined;
  /** Something was written since the last look. */
  let hasMore = false;
  /** Somebody waits: no more gathering. */
  let hurry: (() => void) | undefined;
  let isClosed = false;

  async function isThere(): Promise<boolean> {
    try {
      await ping();
      return true;
    } catch {
      return false;
    }
  }

  function goAway(error: unknown): void {
    if (!isAway) onChange({ isAway: true, error });
    isAway = true;
  }

  /** A server may go and come back between a write and the question whether it is there: only what it refuses twice, it refuses. */
  async function offer(writes: readonly LedgerWrite[]): Promise<Offered> {
    let refusal: unknown;
    for (let count = 0; count < 2; count++) {
      try {
        await server.write(writes);
        return { type: "taken" };
      } catch (error) {
        if (!(await isThere())) return { type: "away", error };
        refusal = error;
      }
    }
    return { type: "refused", error: refusal };
  }

  /** All at once; one by one where that is refused, so that one bad row keeps back no other. @returns whether the server is there */
  async function bring(waiting: readonly WaitingWrites[]): Promise<boolean> {
    const offered = await offer(waiting.flatMap(({ writes }) => writes));
    if (offered.type === "refused" && waiting.length > 1) {
      for (const each of waiting) if (!(await bring([each]))) return false;
      return true;
    }
    if (offered.type === "away") {
      goAway(offered.error);
      return false;
    }
    if (offered.type === "refused") onRefused(waiting[0]?.writes ?? [], offered.error);
    const last = waiting.at(-1);
    if (last !== undefined) await outbox.removeUpTo(last.id);
    arrived += waiting.length;
    return true;
  }

  function gather(): Promise<void> {
    return new Promise((resolve) => {
      const gathering = setTimeout(resolve, gatherMs);
      hurry = () => {
        clearTimeout(gathering);
        resolve();
      };
    });
  }

  async function drainAll(): Promise<void> {
    await gather();
    for (;;) {
      const waiting = isClosed ? [] : await outbox.peek(batch);
      if (waiting.length === 0) break;
      if (!(await bring(waiting))) return;
      // Requests go on meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (isAway) onChange({ isAway: false, arrived });
    isAway = false;
    arrived = 0;
  }

  function drain(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (draining !== undefined) {
      hasMore = true;
      return draining;
    }
    hasMore = false;
    draining = drainAll()
      .catch(goAway)
      .finally(() => {
        draining = undefined;
        if (isClosed) return;
        if (isAway) {
          timer = setTimeout(() => void drain(), retryMs);
          timer.unref();
        } else if (hasMore) void drain();
      });
    return draining;
  }

  async function flush(): Promise<void> {
    const drained = drain();
    hurry?.();
    await drained;
    if (!isAway && !isClosed && (await outbox.count()) > 0) await flush();
  }

  /** Whoever reads finds what was written before. */
  async function caughtUp(): Promise<void> {
    if (!isAway && (draining !== undefined || (await outbox.count()) > 0)) await flush();
  }

  // What an earlier process has left.
  void drain();

  return {
    write(writes) {
      const kept = outbox.append(writes);
      const bringOn = (): void => {
        if (timer === undefined) void drain();
      };
      if (kept !== undefined) return kept.then(bringOn);
      bringOn();
      return undefined;
    },
    async recover(alive, now) {
      await caughtUp();
      return server.recover(alive, now);
    },
    async exchanges(filter, limit, before) {
      await caughtUp();
      return server.exchanges(filter, limit, before);
    },
    async attempts(exchangeId) {
      await caughtUp();
      return server.attempts(exchangeId);
    },
    async totals(by, filter) {
      await caughtUp();
      return server.totals(by, filter);
    },
    prune: (before) => server.prune(before),
    waiting: async () => outbox.count(),
    flush,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      hurry?.();
      await draining;
      await server.close();
    },
  };
}
