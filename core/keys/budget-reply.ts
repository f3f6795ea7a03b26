/** Budgets as LiteLLM's replies show them: of `/budget/new`, and each row of `/budget/info` and `/budget/list`. */

import type { Json } from "../../sdk/body.ts";
import type { Budget } from "../../sdk/keys.ts";
import { encodeTimes } from "./owned-fields.ts";
import { encodeTerms } from "./terms-fields.ts";

export function encodeBudget(budget: Budget): Readonly<Record<string, Json>> {
  return { budget_id: budget.id, ...(encodeTerms(budget) as unknown as Readonly<Record<string, Json>>), ...encodeTimes(budget) };
}
