/** What a caller is told whose request does not fit into a limit: in LiteLLM's words, budgets in the caller's own protocol where it has some. */

import type { BudgetStanding } from "../../sdk/budget-standing.ts";
import type { Ingress } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { CounterState } from "../../sdk/limits.ts";
import { toUsd } from "../../sdk/money.ts";
import { rateWindowMs, type Limit } from "./demands.ts";
import { LimitsAwayError } from "../stores/guarded-limits.ts";
import { LimitExceeded, LimitsUnknownError } from "./exceeded.ts";

/** Of what holding limits failed with; undefined for what has nothing to do with limits. @param wallClock ms since 1970 */
export function refusalOf(error: unknown, ingress: Pick<Ingress, "budgetRefusal">, wallClock: number): ProxyError | undefined {
  if (error instanceof LimitsUnknownError || error instanceof LimitsAwayError)
    return new ProxyError("Limits cannot be checked at the moment, and this proxy is set up to let nobody in meanwhile.", {
      status: 503,
      kind: "overloaded_error",
      headers: { "retry-after": "5" },
      cause: error,
    });
  if (!(error instanceof LimitExceeded)) return undefined;
  const { limit, state, standing } = error;
  if (standing === undefined) return limitRefusal(limit, state, wallClock);
  return ingress.budgetRefusal?.(standing, wallClock) ?? budgetRefusal(standing);
}

/** Clients of LiteLLM know it by its type. */
function budgetRefusal({ owner, used, limit }: BudgetStanding): ProxyError {
  const message = `Budget has been exceeded! Current cost: ${toUsd(used)}, Max budget: ${toUsd(limit)} (of this ${owner})`;
  return new ProxyError(message, {
    status: 400,
    kind: "billing_error",
    type: "budget_exceeded",
    headers: { "x-should-retry": "false" },
  });
}

/** Of requests, tokens and slots. @param wallClock ms since 1970 */
export function limitRefusal(
  { type, owner, id, max }: Pick<Limit, "type" | "owner" | "id" | "max">,
  { used, resetsInMs }: CounterState,
  wallClock: number,
): ProxyError {
  // When a slot will be free nobody knows.
  const waitMs = type === "max_parallel_requests" ? 1000 : (resetsInMs ?? rateWindowMs);
  const resetsAt = `${new Date(wallClock + waitMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const remaining = Math.max(0, max - used);
  const message =
    `Rate limit exceeded for ${owner}: ${shown(owner, id)}. Limit type: ${type}. Current limit: ${max}, Remaining: ${remaining}. ` +
    `Limit resets at: ${resetsAt}`;
  return new ProxyError(message, {
    status: 429,
    kind: "rate_limit_error",
    headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1000))), rate_limit_type: type, reset_at: resetsAt },
  });
}

/** A key's id opens nothing, and is no name for people. */
function shown(owner: string, id: string): string {
  return owner === "api_key" || owner === "model_per_key" ? id.replace(/^[0-9a-f]{64}/, (hash) => `${hash.slice(0, 8)}…`) : id;
}
