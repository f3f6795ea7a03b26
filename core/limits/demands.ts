/** What a request takes of the limits of whoever it belongs to: key, user, team, deployment, everybody. */

import type { CounterState, Demand } from "../../sdk/limits.ts";
import type { NanoDollars } from "../../sdk/money.ts";

/** Of LiteLLM: a window of the length in which rates are counted. */
export const rateWindowMs = 60_000;

export interface PeriodBudget {
  readonly max: NanoDollars;
  /** As configured: `30d`; undefined: it never begins anew. */
  readonly duration: string | undefined;
  /** Names the period that it is now. */
  readonly period: string;
  readonly endsInMs: number | undefined;
  /** What the ledger says was spent in it. */
  readonly spent: NanoDollars;
}

/** Limits of one group of models, or of all. */
export interface Allowance {
  /** Requests a minute. */
  readonly rpm?: number | undefined;
  /** Tokens a minute. */
  readonly tpm?: number | undefined;
  readonly maxParallelRequests?: number | undefined;
  readonly budgets?: readonly PeriodBudget[] | undefined;
}

/** Who has limits. */
export interface Limited extends Allowance {
  /** As LiteLLM calls it in errors: `api_key`, `user`, `team`, `model`, `global`, … */
  readonly owner: string;
  readonly id: string;
  /** By model group. */
  readonly models?: ReadonlyMap<string, Allowance> | undefined;
}

export interface Consumption {
  readonly group: string;
  /** Of the kinds that count. */
  readonly tokens: number;
  /** What it may cost; null where that is not known, which takes nothing of a budget and yet needs one that is not used up. */
  readonly cost: NanoDollars | null;
}

/** What a demand is about, for errors, and for the settlement. */
export interface Limit {
  readonly type: "requests" | "tokens" | "max_parallel_requests" | "budget";
  /** `api_key`, or `model_per_key` where it holds for one group only. */
  readonly owner: string;
  readonly id: string;
  readonly max: number;
  readonly budget: PeriodBudget | undefined;
}

export interface Demands {
  readonly demands: readonly Demand[];
  /** In the same order. */
  readonly limits: readonly Limit[];
}

/** In the order of the parties; of each first what is cheapest to tell: slots, requests, tokens, money. */
export function demandsOf(parties: readonly Limited[], { group, tokens, cost }: Consumption): Demands {
  const demands: Demand[] = [];
  const limits: Limit[] = [];
  const add = (owner: string, id: string, allowance: Allowance): void => {
    const name = (what: string): string => `${owner}:${id}:${what}`;
    const limit = (type: Limit["type"], max: number, demand: Demand, budget?: PeriodBudget): void => {
      demands.push(demand);
      limits.push({ type, owner, id, max, budget });
    };
    const { rpm, tpm, maxParallelRequests, budgets = [] } = allowance;
    if (maxParallelRequests !== undefined)
      limit("max_parallel_requests", maxParallelRequests, { kind: "slot", key: name("slots"), limit: maxParallelRequests });
    if (rpm !== undefined) limit("requests", rpm, { kind: "window", key: name("rpm"), amount: 1, limit: rpm, windowMs: rateWindowMs });
    if (tpm !== undefined) limit("tokens", tpm, { kind: "window", key: name("tpm"), amount: tokens, limit: tpm, windowMs: rateWindowMs });
    for (const budget of budgets) {
      const { max, duration, period, endsInMs, spent } = budget;
      const key = name(`budget:${duration ?? "ever"}`);
      limit("budget", max, { kind: "budget", key, amount: cost ?? 0, limit: max, period, endsInMs, spent }, budget);
    }
  };
  for (const { owner, id, models, ...allowance } of parties) {
    add(owner, id, allowance);
    const ofGroup = models?.get(group);
    if (ofGroup !== undefined) add(`model_per_${owner === "api_key" ? "key" : owner}`, `${id}:${group}`, ofGroup);
  }
  return { demands, limits };
}

/** What was really taken, for the settlement. @param cost null: it stays what was reserved */
export function actualOf(
  { demands, limits }: Demands,
  tokens: number | undefined,
  cost: NanoDollars | null,
): readonly (number | undefined)[] {
  return demands.map((_, index) => {
    const type = limits[index]?.type;
    if (type === "tokens") return tokens;
    return type === "budget" ? (cost ?? undefined) : undefined;
  });
}

/** Of the budgets the one that is nearest to its end; undefined where there is none. */
export function tightest(
  { limits }: Demands,
  states: readonly CounterState[],
): { readonly limit: Limit; readonly used: number } | undefined {
  let found: { readonly limit: Limit; readonly used: number } | undefined;
  const share = ({ limit, used }: NonNullable<typeof found>): number => (limit.max <= 0 ? Infinity : used / limit.max);
  for (const [index, limit] of limits.entries()) {
    const used = states[index]?.used;
    if (limit.type !== "budget" || used === undefined) continue;
    const each = { limit, used };
    if (found === undefined || share(each) > share(found)) found = each;
  }
  return found;
}
