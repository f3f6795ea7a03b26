/** Holds what a request may need of the limits of whoever it belongs to, until it is known what it took. */

import type { BudgetStanding } from "../../sdk/budget-standing.ts";
import type { LedgerStore } from "../../sdk/ledger.ts";
import type { LimitStore, Reservation } from "../../sdk/limits.ts";
import type { Logger } from "../../sdk/log.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { andThen } from "../routing/awaitable.ts";
import type { BudgetAlerts } from "./alerts.ts";
import { type Consumption, type Limit, type Limited, actualOf, demandsOf, limitsOf } from "./demands.ts";
import { LimitExceeded, LimitsUnknownError } from "./exceeded.ts";
import { orElse } from "./or-else.ts";
import { createRenewer } from "./renewer.ts";
import { type BudgetLimit, createSpentBook } from "./spent.ts";
import { standingOf, tightestStanding } from "./standing.ts";

export interface LimiterServices {
  readonly limits: LimitStore;
  readonly ledger: Pick<LedgerStore, "totals">;
  /** ms since 1970. */
  readonly wallClock: () => number;
  readonly logger: Pick<Logger, "warn">;
  readonly alerts?: BudgetAlerts | undefined;
}

export interface LimiterOptions {
  /** After which the slots of a process that has vanished are free. Default: 60 s. */
  readonly leaseMs?: number | undefined;
  /** See spent.ts. Default: 10 s. */
  readonly refreshMs?: number | undefined;
  /**
   * Of budgets whose ledger cannot be asked: they refuse nobody, or everybody. Asked for every request. Default: `fail_open`.
   */
  readonly whenAway?: (() => "fail_open" | "fail_closed") | undefined;
}

export interface HoldRequest extends Consumption {
  readonly parties: readonly Limited[];
  /** Unique among reservations. */
  readonly id: string;
}

export interface Taken {
  /** Of the kinds that count; undefined: what was reserved. */
  readonly tokens: number | undefined;
  /** Null: what was reserved. */
  readonly cost: NanoDollars | null;
}

/** Ends once, by `settle` or by `release`, whichever comes first. Neither ever fails. */
export interface Held {
  /** The budget that is nearest to its end, this request included; undefined where there is none. */
  readonly standing: BudgetStanding | undefined;
  settle(taken: Taken): Awaitable<void>;
  /** As if it had never been. */
  release(): Awaitable<void>;
}

export interface Limiter {
  /**
   * Nothing to wait for where the store needs no I/O; no call at all where nobody has limits.
   *
   * @throws LimitExceeded @throws LimitsUnknownError @throws LimitsAwayError
   */
  hold(request: HoldRequest): Awaitable<Held>;
  /** Leases are no longer renewed. */
  close(): void;
}

const nothingHeld: Held = { standing: undefined, settle: () => undefined, release: () => undefined };

/** For the life of the process. */
export function createLimiter(services: LimiterServices, options: LimiterOptions = {}): Limiter {
  const { limits: store, wallClock, logger, alerts } = services;
  const { leaseMs = 60_000, refreshMs = 10_000, whenAway = () => "fail_open" } = options;
  const spent = createSpentBook({ ...services, refreshMs });
  const renewer = createRenewer(store, leaseMs, logger);

  /** Without budgets of which nobody knows how they stand: a counter that begins with nothing would be wrong until its period ends. */
  function knownOf(limits: readonly Limit[]): readonly Limit[] {
    if (limits.every((limit) => !isBudget(limit) || spent.spentOf(limit) !== undefined)) return limits;
    if (whenAway() === "fail_closed") throw new LimitsUnknownError("what was spent of a budget cannot be found out");
    return limits.filter((limit) => !isBudget(limit) || spent.spentOf(limit) !== undefined);
  }

  function heldOf(id: string, limits: readonly Limit[], reserved: NanoDollars, reservation: Reservation): Held {
    if (!reservation.isGranted) throw exceededOf(limits, reservation);
    const { states } = reservation;
    const budgets = limits.filter(isBudget);
    for (const [index, limit] of limits.entries()) if (isBudget(limit)) spent.saw(limit, states[index]?.used ?? 0, reserved);
    renewer.add(id);
    let isOver = false;
    const end = (cost: NanoDollars, work: () => Awaitable<void>): Awaitable<void> => {
      if (isOver) return undefined;
      isOver = true;
      renewer.remove(id);
      for (const limit of budgets) {
        spent.ended(limit, reserved, cost);
        alerts?.look(limit, spent.settledOf(limit) ?? 0);
      }
      return orElse(work, (error) => logger.warn({ error }, "a reservation of limits could not be ended; it ends with its lease"));
    };
    return {
      standing: tightestStanding(limits, states),
      settle: ({ tokens, cost }) => end(cost ?? reserved, () => store.settle(id, actualOf(limits, tokens, cost))),
      release: () => end(0, () => store.release(id)),
    };
  }

  function exceededOf(limits: readonly Limit[], { index, state }: Reservation & { readonly isGranted: false }): LimitExceeded {
    const limit = limits[index];
    if (limit === undefined) throw new Error("a store of limits refused what it was not asked for");
    if (!isBudget(limit)) return new LimitExceeded(limit, state, undefined);
    spent.saw(limit, state.used, 0);
    return new LimitExceeded(limit, state, standingOf(limit, state.used));
  }

  return {
    hold({ parties, id, tokens, cost }) {
      const all = limitsOf(parties, wallClock());
      return andThen(spent.learn(all.filter(isBudget)), () => {
        const limits = knownOf(all);
        if (limits.length === 0) return nothingHeld;
        const spentOf = (limit: Limit): NanoDollars => (isBudget(limit) ? (spent.spentOf(limit) ?? 0) : 0);
        const demands = demandsOf(limits, { tokens, cost }, spentOf, wallClock());
        return andThen(store.reserve(id, demands, leaseMs), (reservation) => heldOf(id, limits, cost ?? 0, reservation));
      });
    },
    close() {
      renewer.close();
      spent.close();
    },
  };
}

function isBudget(limit: Limit): limit is BudgetLimit {
  return limit.budget !== undefined;
}
