/** `/budget/*`: budgets that keys, users and teams share. */

import type { Json } from "../../sdk/body.ts";
import type { Budget } from "../../sdk/keys.ts";
import { quote } from "../config/describe.ts";
import { encodeBudget } from "../keys/budget-reply.ts";
import { decodeBudgetNew, decodeBudgetUpdate } from "../keys/budget-request.ts";
import { name, names } from "../keys/fields.ts";
import { readBody } from "../keys/read-body.ts";
import { type AdminReply, type AdminRoute, type Asking, changing, reading } from "./admin.ts";
import { forbidden, takenAs } from "./admin-error.ts";
import { refuseOwn, requireAdmin, seesAll } from "./admin-rights.ts";
import { allOf, refuseMissing } from "./keys-found.ts";

export const budgetRoutes: readonly AdminRoute[] = [
  changing("/budget/new", makeBudget),
  changing("/budget/update", updateBudget),
  changing("/budget/delete", deleteBudget),
  reading("/budget/info", showBudgets, "post"),
  reading("/budget/list", listBudgets),
];

async function makeBudget(asking: Asking): Promise<AdminReply> {
  requireAdmin(asking.admin);
  const { budget, notes } = decodeBudgetNew(asking.body, asking.now);
  try {
    await asking.services.stores.keys.create("budget", budget);
  } catch (error) {
    const words = `budget_id: there is a budget ${quote(budget.id)} already.`;
    throw takenAs(error, { id: words, alias: words });
  }
  return { body: encodeBudget(budget), notes, about: [budget.id] };
}

async function updateBudget(asking: Asking): Promise<AdminReply> {
  requireAdmin(asking.admin);
  const { id, change, notes } = decodeBudgetUpdate(asking.body, asking.now);
  refuseOwn(asking.admin, "budget", id);
  const budget = (await asking.services.stores.keys.update("budget", id, change)) ?? refuseMissing("budget", id);
  return { body: encodeBudget(budget), notes, about: [id] };
}

async function deleteBudget(asking: Asking): Promise<AdminReply> {
  const { services, admin, body } = asking;
  requireAdmin(admin);
  const { fields, notes } = readBody(body, { id: name });
  const { id } = fields;
  refuseOwn(admin, "budget", id);
  const budget = (await services.stores.keys.get("budget", id)) ?? refuseMissing("budget", id);
  const held = await countHeld(asking, id);
  await services.stores.keys.delete("budget", [id]);
  const told = held === 0 ? [] : [`${held} of keys, users and teams named this budget; its limits hold for them no more.`];
  return { body: encodeBudget(budget), notes: [...notes, ...told], about: [id] };
}

async function countHeld(asking: Asking, id: string): Promise<number> {
  const owners = [...(await allOf(asking, "key")), ...(await allOf(asking, "user")), ...(await allOf(asking, "team"))];
  return owners.filter(({ budgetId }) => budgetId === id).length;
}

async function showBudgets(asking: Asking): Promise<AdminReply> {
  checkMaySee(asking);
  const { fields } = readBody(asking.body, { budgets: names });
  const found: Budget[] = [];
  for (const id of new Set(fields.budgets)) {
    const budget = await asking.services.stores.keys.get("budget", id);
    if (budget !== undefined) found.push(budget);
  }
  return { body: found.map((budget): Json => encodeBudget(budget)) };
}

async function listBudgets(asking: Asking): Promise<AdminReply> {
  checkMaySee(asking);
  return { body: (await allOf(asking, "budget")).map((budget): Json => encodeBudget(budget)) };
}

function checkMaySee({ admin }: Asking): void {
  if (!seesAll(admin)) throw forbidden("Only proxy admins may look at budgets.");
}
