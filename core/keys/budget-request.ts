/** Bodies of `/budget/new` and `/budget/update`, and what they make of a budget. */

import { randomUUID } from "node:crypto";

import type { Budget } from "../../sdk/keys.ts";
import { name } from "./fields.ts";
import { applied, badRequest, field, readBody } from "./read-body.ts";
import { termsFields, termsOf } from "./terms-fields.ts";

export interface NewBudget {
  readonly budget: Budget;
  readonly notes: readonly string[];
}

/** @param now ms since 1970 @throws ProxyError 400 */
export function decodeBudgetNew(body: unknown, now: number): NewBudget {
  const { fields, notes } = readBody(body, { ...termsFields, budget_id: field(name) });
  const bare: Budget = { id: fields.budget_id ?? randomUUID(), createdAt: now, updatedAt: now };
  return { budget: applied(bare, termsOf(fields)), notes };
}

export interface BudgetUpdate {
  readonly id: string;
  readonly change: (budget: Budget) => Budget;
  readonly notes: readonly string[];
}

/** @param now ms since 1970 @throws ProxyError 400 */
export function decodeBudgetUpdate(body: unknown, now: number): BudgetUpdate {
  const { fields, notes } = readBody(body, { ...termsFields, budget_id: field(name) });
  if (fields.budget_id == null) throw badRequest("budget_id: found nothing, wanted the id of a budget");
  const patch = { ...termsOf(fields), updatedAt: now };
  return { id: fields.budget_id, change: (budget) => applied(budget, patch), notes };
}
