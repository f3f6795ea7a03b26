/**
 * A ledger on a server that may be away: what it does not take waits on this machine, and follows in its order as soon as it is back. A write
 * may arrive twice, which a ledger takes for one.
 */

import type { LedgerStore, LedgerWrite } from "../../sdk/ledger.ts";
import type { Outbox } from "../../sdk/outbox.ts";

export interface OutboxOptions {
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
  /** Resolves when nothing waits, or the server does not take it: for a stop. */
  flush(): Promise<void>;
}

const batch = 100;

type Offered = { readonly type: "taken" } | { readonly type: "refused" | "away"; readonly error: unknown };

/** @param ping of the server: tells whether it is there */
export function createOutboxedLedger(
  server: LedgerStore,
  outbox: Outbox,
  ping: () => Promise<void>,
  { retryMs, onChange, onRefused }: OutboxOptions,
): OutboxedLedger {
  /** Then every write goes behind those that wait: a settlement must not come before what it settles. */
  let isWaiting = true;
  let isAway = false;
  let arrived = 0;
  let timer: NodeJS.Timeout | undefined;
  let draining: Promise<void> | undefined;
  let isClosed = false;
  let appended: Promise<void> = Promise.resolve();

  function append(writes: readonly LedgerWrite[]): Promise<void> {
    isWaiting = true;
    const own = Promise.resolve(outbox.append(writes));
    // One that fails is told to whoever wrote it.
    appended = Promise.all([appended, own.catch(() => undefined)]).then(() => undefined);
    return own;
  }

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

  async function drainAll(): Promise<void> {
    for (;;) {
      const before = appended;
      await before;
      const waiting = await outbox.peek(batch);
      for (const { id, writes } of waiting) {
        if (isClosed) return;
        const offered = await offer(writes);
        if (offered.type === "away") {
          goAway(offered.error);
          return;
        }
        if (offered.type === "refused") onRefused(writes, offered.error);
        await outbox.removeUpTo(id);
        arrived += 1;
      }
      if (waiting.length === 0 && appended === before) break;
    }
    isWaiting = false;
    if (isAway) onChange({ isAway: false, arrived });
    isAway = false;
    arrived = 0;
  }

  function drain(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    draining ??= drainAll().finally(() => {
      draining = undefined;
      if (!isWaiting || isClosed) return;
      timer = setTimeout(() => {
        timer = undefined;
        drainInBackground();
      }, retryMs);
      timer.unref();
    });
    return draining;
  }

  function drainInBackground(): void {
    drain().catch(goAway);
  }

  // What an earlier process has left.
  drainInBackground();

  return {
    async write(writes) {
      if (!isWaiting) {
        const offered = await offer(writes);
        if (offered.type === "taken") return;
        if (offered.type === "refused") throw offered.error;
        goAway(offered.error);
      }
      await append(writes);
      if (draining === undefined && timer === undefined) drainInBackground();
    },
    recover: (alive, now) => server.recover(alive, now),
    exchanges: (filter, limit, before) => server.exchanges(filter, limit, before),
    attempts: (exchangeId) => server.attempts(exchangeId),
    totals: (by, filter) => server.totals(by, filter),
    prune: (before) => server.prune(before),
    waiting: async () => outbox.count(),
    async flush() {
      await drain();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await draining?.catch(() => undefined);
      await server.close();
    },
  };
}
