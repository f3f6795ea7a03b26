/** The body of `/budget/new`, and the budget it makes. */

import { randomUUID } from "node:crypto";

import type { Budget } from "../../sdk/keys.ts";
import { name } from "./fields.ts";
import { applied, field, readBody } from "./read-body.ts";
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
