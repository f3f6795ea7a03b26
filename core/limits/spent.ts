/**
 * What a counter of a budget begins with, should it not be there: what was spent in its period. Asked of the ledger when a budget is met for the
 * first time in this process and has no counter; from then on what its counter was last seen to hold is remembered, and looked at again every
 * `refreshMs` while the budget is in use. So where the server of the counters has lost them, they begin anew too low by no more than what other
 * processes have spent within `refreshMs`, and too high by no more than what this process had reserved and did not need.
 */

import type { Logger } from "../../sdk/log.ts";
import type { LedgerStore } from "../../sdk/ledger.ts";
import type { CounterState, LimitStore } from "../../sdk/limits.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { andThen } from "../routing/awaitable.ts";
import type { Limit, PeriodBudget } from "./demands.ts";
import { orElse } from "./or-else.ts";

export type BudgetLimit = Limit & { readonly budget: PeriodBudget };

export interface SpentOptions {
  readonly limits: Pick<LimitStore, "read">;
  readonly ledger: Pick<LedgerStore, "totals">;
  /** ms since 1970. */
  readonly wallClock: () => number;
  readonly logger: Pick<Logger, "warn">;
  /** Between two looks at counters that are in use. */
  readonly refreshMs: number;
}

export interface SpentBook {
  /** Finds out what is not known yet; nothing to wait for where all is. Never fails. */
  learn(budgets: readonly BudgetLimit[]): Awaitable<void>;
  /** Reservations included; undefined where the ledger could not be asked. */
  spentOf(budget: BudgetLimit): NanoDollars | undefined;
  /** Without what this process has reserved. */
  settledOf(budget: BudgetLimit): NanoDollars | undefined;
  /** What a counter held after a reservation. @param reserved of it by this request */
  saw(budget: BudgetLimit, used: NanoDollars, reserved: NanoDollars): void;
  /** A reservation has ended. */
  ended(budget: BudgetLimit, reserved: NanoDollars, actual: NanoDollars): void;
  close(): void;
}

interface Remembered {
  readonly limit: BudgetLimit;
  spent: NanoDollars;
  /** Of it what requests of this process hold. */
  reserved: NanoDollars;
  usedAt: number;
  /** Its counter was gone, and the ledger has been asked. */
  isLost: boolean;
}

/** What nobody has used for so long is learnt anew. */
const keptMs = 600_000;

export function createSpentBook({ limits, ledger, wallClock, logger, refreshMs }: SpentOptions): SpentBook {
  const remembered = new Map<string, Remembered>();
  /** First sights that wait for an answer. */
  const learning = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  function remember(limit: BudgetLimit, spent: NanoDollars): Remembered {
    const entry = { limit, spent, reserved: 0, usedAt: wallClock(), isLost: false };
    remembered.set(nameOf(limit), entry);
    timer ??= setInterval(() => void refresh(), refreshMs).unref();
    return entry;
  }

  function learnOne(limit: BudgetLimit): Awaitable<void> {
    const name = nameOf(limit);
    const begun = learning.get(name);
    if (begun !== undefined) return begun;
    const counted = orElse(
      () => andThen(limits.read([limit.key]), ([state]) => countedIn(limit, state, wallClock())),
      () => undefined,
    );
    const learnt = orElse(
      () => andThen(counted, (used) => andThen(used ?? askLedger(ledger, limit), (spent): void => void remember(limit, spent))),
      (error) => logger.warn({ owner: limit.owner, error }, "the ledger does not say what was spent of a budget"),
    );
    if (!(learnt instanceof Promise)) return undefined;
    const waiting = learnt.finally(() => learning.delete(name));
    learning.set(name, waiting);
    return waiting;
  }

  async function refresh(): Promise<void> {
    const now = wallClock();
    for (const [name, { usedAt, reserved, limit }] of remembered) {
      const isOver = (limit.budget.period.endsAt ?? Infinity) <= now;
      if (isOver || (reserved === 0 && now - usedAt > keptMs)) remembered.delete(name);
    }
    if (remembered.size === 0) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    const entries = [...remembered.values()];
    try {
      const states = await limits.read(entries.map(({ limit }) => limit.key));
      for (const [index, entry] of entries.entries()) {
        const used = countedIn(entry.limit, states[index], now);
        if (used !== undefined) entry.spent = used;
        else if (entry.spent > 0 && !entry.isLost) entry.spent = Math.max(entry.spent, await askLedger(ledger, entry.limit));
        entry.isLost = used === undefined;
      }
    } catch (error) {
      logger.warn({ error }, "counters of budgets could not be looked at");
    }
  }

  return {
    learn(budgets) {
      const waiting: Promise<void>[] = [];
      for (const limit of budgets) {
        if (remembered.has(nameOf(limit))) continue;
        const learnt = learnOne(limit);
        if (learnt instanceof Promise) waiting.push(learnt);
      }
      return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
    },
    spentOf: (limit) => remembered.get(nameOf(limit))?.spent,
    settledOf(limit) {
      const entry = remembered.get(nameOf(limit));
      return entry === undefined ? undefined : Math.max(0, entry.spent - entry.reserved);
    },
    saw(limit, used, reserved) {
      const entry = remembered.get(nameOf(limit)) ?? remember(limit, used);
      entry.spent = used;
      entry.reserved += reserved;
      entry.usedAt = wallClock();
      entry.isLost = false;
    },
    ended(limit, reserved, actual) {
      const entry = remembered.get(nameOf(limit));
      if (entry === undefined) return;
      entry.reserved = Math.max(0, entry.reserved - reserved);
      entry.spent += actual - reserved;
      entry.usedAt = wallClock();
    },
    close() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

function nameOf({ key, budget }: BudgetLimit): string {
  return `${key}\n${budget.period.name}`;
}

/** What the counter holds; undefined where it is not there, or is still that of the period before. */
function countedIn({ budget }: BudgetLimit, state: CounterState | undefined, now: number): NanoDollars | undefined {
  if (state === undefined || state.used <= 0) return undefined;
  const { startsAt, endsAt } = budget.period;
  if (startsAt === undefined || endsAt === undefined) return state.resetsInMs === undefined ? state.used : undefined;
  const isOfIt = state.resetsInMs !== undefined && Math.abs(endsAt - now - state.resetsInMs) < (endsAt - startsAt) / 2;
  return isOfIt ? state.used : undefined;
}

/** @throws what the ledger says */
function askLedger(ledger: Pick<LedgerStore, "totals">, { budget }: BudgetLimit): Awaitable<NanoDollars> {
  const { filter, only } = budget.spending;
  const asked = ledger.totals(only === undefined ? [] : [only.by], { ...filter, from: budget.period.startsAt });
  return andThen(asked, (totals) =>
    totals.reduce((sum, { by: [value = ""], cost }) => (only === undefined || only.has(value) ? sum + cost : sum), 0),
  );
}
