/** What a request takes of the limits of whoever it belongs to: key, user, team, deployment, everybody. */

import type { Grouping, LedgerFilter } from "../../sdk/ledger.ts";
import type { CounterState, Demand } from "../../sdk/limits.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import { type BudgetPeriod, budgetPeriod } from "./periods.ts";

/** Of LiteLLM: a window of the length in which rates are counted. */
export const rateWindowMs = 60_000;
/** The limit of a budget that only tells. */
const noMax = Number.MAX_SAFE_INTEGER;

export interface BudgetTerms {
  /** Undefined: it is counted, and refuses nothing. */
  readonly max: NanoDollars | undefined;
  /** Tells, and refuses nothing. */
  readonly soft?: NanoDollars | undefined;
  /** As configured: `30d`; undefined: it never begins anew. */
  readonly duration: string | undefined;
}

/** Which exchanges of the ledger are somebody's. */
export interface Spending {
  readonly filter: Omit<LedgerFilter, "from" | "to">;
  /** Of those only some, where the filter has no word for it. */
  readonly only?: { readonly by: Grouping; has(value: string): boolean } | undefined;
}

/** Who has limits. */
export interface Limited {
  /** As LiteLLM calls it in errors: `api_key`, `user`, `team`, `model_per_key`, `global`, … */
  readonly owner: string;
  readonly id: string;
  /** For people. Default: the id. */
  readonly name?: string | undefined;
  /** Requests a minute. */
  readonly rpm?: number | undefined;
  /** Tokens a minute. */
  readonly tpm?: number | undefined;
  readonly maxParallelRequests?: number | undefined;
  /** Of different durations. */
  readonly budgets?: readonly BudgetTerms[] | undefined;
  readonly spending: Spending;
}

export interface Consumption {
  /** Of the kinds that count. */
  readonly tokens: number;
  /** What it may cost; 0: it is free. Null where that is not known, which takes nothing of a budget and yet needs one that is not used up. */
  readonly cost: NanoDollars | null;
}

/** A budget in the period that it is now. */
export interface PeriodBudget extends BudgetTerms {
  readonly period: BudgetPeriod;
  readonly spending: Spending;
}

/** One thing that a request needs room in. */
export interface Limit {
  readonly type: "requests" | "tokens" | "max_parallel_requests" | "budget";
  readonly owner: string;
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Of its counter. */
  readonly key: string;
  readonly max: number;
  /** Where it is one. */
  readonly budget: PeriodBudget | undefined;
}

/**
 * In the order of the parties; of each first what is cheapest to tell: slots, requests, tokens, money.
 *
 * @param wallClock ms since 1970
 * @throws RangeError for a budget whose duration is none
 */
export function limitsOf(parties: readonly Limited[], wallClock: number): readonly Limit[] {
  const limits: Limit[] = [];
  for (const { owner, id, name = id, rpm, tpm, maxParallelRequests, budgets, spending } of parties) {
    const add = (type: Limit["type"], counter: string, max: number, budget?: PeriodBudget): void => {
      limits.push({ type, owner, id, name, key: `${owner}:${id}:${counter}`, max, budget });
    };
    if (maxParallelRequests !== undefined) add("max_parallel_requests", "slots", maxParallelRequests);
    if (rpm !== undefined) add("requests", "rpm", rpm);
    if (tpm !== undefined) add("tokens", "tpm", tpm);
    for (const terms of budgets ?? []) {
      const budget: PeriodBudget = { ...terms, period: budgetPeriod(terms.duration, wallClock), spending };
      add("budget", `budget:${terms.duration ?? "ever"}`, terms.max ?? noMax, budget);
    }
  }
  return limits;
}

/**
 * One for each limit.
 *
 * @param spentOf what was spent in the period of a budget, should its counter not be there
 * @param wallClock ms since 1970
 */
export function demandsOf(
  limits: readonly Limit[],
  consumption: Consumption,
  spentOf: (limit: Limit) => NanoDollars,
  wallClock: number,
): readonly Demand[] {
  return limits.map((limit) => demandOf(limit, consumption, spentOf, wallClock));
}

function demandOf(limit: Limit, { tokens, cost }: Consumption, spentOf: (limit: Limit) => NanoDollars, wallClock: number): Demand {
  const { type, key, max, budget } = limit;
  if (type === "max_parallel_requests") return { kind: "slot", key, limit: max };
  if (budget === undefined) return { kind: "window", key, amount: type === "requests" ? 1 : tokens, limit: max, windowMs: rateWindowMs };
  const { name, endsAt } = budget.period;
  // One that has ended since it was looked up counts this request, and nothing more.
  const endsInMs = endsAt === undefined ? undefined : Math.max(1, endsAt - wallClock);
  // As in LiteLLM, who has spent everything may still use what is free. It is counted all the same: it may end where it is not.
  const most = cost === 0 ? noMax : max;
  return { kind: "budget", key, amount: cost ?? 0, limit: most, period: name, endsInMs, spent: spentOf(limit) };
}

/** What was really taken, for the settlement. @param cost null: it stays what was reserved */
export function actualOf(limits: readonly Limit[], tokens: number | undefined, cost: NanoDollars | null): readonly (number | undefined)[] {
  return limits.map(({ type }) => {
    if (type === "tokens") return tokens;
    return type === "budget" ? (cost ?? undefined) : undefined;
  });
}

/** Of the budgets that refuse the one that is nearest to its end; undefined where there is none. */
export function tightest(
  limits: readonly Limit[],
  states: readonly CounterState[],
): { readonly limit: Limit; readonly used: number } | undefined {
  let found: { readonly limit: Limit; readonly used: number } | undefined;
  const share = ({ limit, used }: NonNullable<typeof found>): number => (limit.max <= 0 ? Infinity : used / limit.max);
  for (const [index, limit] of limits.entries()) {
    const used = states[index]?.used;
    if (limit.budget?.max === undefined || used === undefined) continue;
    const each = { limit, used };
    if (found === undefined || share(each) > share(found)) found = each;
  }
  return found;
}
