/** Finds the records that a management request is about, as far as whoever asks may know of them. */

import type { Budget, KeyFilter, Kind, Kinds, Team, User, VirtualKey } from "../../sdk/keys.ts";
import type { ProxyError } from "../../sdk/errors.ts";
import { quote } from "../config/describe.ts";
import { badRequest } from "../keys/read-body.ts";
import type { Asking } from "./admin.ts";
import { notFound } from "./admin-error.ts";
import { maySeeKey } from "./admin-rights.ts";

const pageSize = 500;

/** Whether it is somebody else's or not there makes no difference to whoever may not see it. @throws ProxyError 404 */
export async function findKey({ services, admin }: Asking, id: string, field: string = "key"): Promise<VirtualKey> {
  const key = await services.stores.keys.get("key", id);
  if (key === undefined || !maySeeKey(admin, key)) throw noSuchKey(field);
  return key;
}

export function noSuchKey(field: string): ProxyError {
  return notFound(`${field}: there is no such key.`);
}

/** @throws ProxyError 404 */
export async function findTeam({ services }: Asking, id: string): Promise<Team> {
  return (await services.stores.keys.get("team", id)) ?? refuseMissing("team", id);
}

/** @throws ProxyError 404 */
export async function findUser({ services }: Asking, id: string): Promise<User> {
  return (await services.stores.keys.get("user", id)) ?? refuseMissing("user", id);
}

/** @throws ProxyError 404 */
export function refuseMissing(kind: Exclude<Kind, "key">, id: string): never {
  throw notFound(`${kind}_id: there is no ${kind} ${quote(id)}.`);
}

/** What a record names has to be there: a limit that is nobody's would hold for nobody. @throws ProxyError 400 */
export async function findBudget({ services }: Asking, id: string | undefined): Promise<Budget | undefined> {
  if (id === undefined) return undefined;
  const budget = await services.stores.keys.get("budget", id);
  if (budget === undefined) throw badRequest(`budget_id: there is no budget ${quote(id)}; /budget/new makes one.`);
  return budget;
}

/** @throws ProxyError 400 */
export async function checkTeamOf({ services }: Asking, id: string | undefined): Promise<void> {
  if (id !== undefined && (await services.stores.keys.get("team", id)) === undefined)
    throw badRequest(`team_id: there is no team ${quote(id)}; /team/new makes one.`);
}

/** Newest first. */
export async function allOf<K extends Kind>({ services }: Asking, kind: K, filter: KeyFilter = {}): Promise<readonly Kinds[K][]> {
  const records: Kinds[K][] = [];
  for (;;) {
    const page = await services.stores.keys.list(kind, { limit: pageSize, offset: records.length }, filter);
    records.push(...page.records);
    if (page.records.length < pageSize) return records;
  }
}

/** The keys that belong to somebody, by the ids of their owners. */
export async function keyIdsOf(asking: Asking, owner: "userId" | "teamId", ids: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of ids) for (const key of await allOf(asking, "key", { [owner]: id })) found.push(key.id);
  return found;
}
