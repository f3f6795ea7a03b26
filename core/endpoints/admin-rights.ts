/** What whoever asks may see and change, beside that no grant exceeds its creator. */

import type { Budget, Team, VirtualKey } from "../../sdk/keys.ts";
import { forbidden } from "./admin-error.ts";
import type { Admin } from "./require-caller.ts";
import { refuseGrant, withBudget } from "../keys/rights.ts";

type Owner = Pick<VirtualKey, "userId" | "teamId">;

/** Whether it may change whatever there is: keys of everybody, users, teams, budgets. */
export function isAdmin(admin: Admin): boolean {
  return admin.kind === "master" || admin.holder.user?.role === "proxy_admin";
}

export function seesAll(admin: Admin): boolean {
  return isAdmin(admin) || (admin.kind === "key" && admin.holder.user?.role === "proxy_admin_viewer");
}

export function isViewer(admin: Admin): boolean {
  const role = admin.kind === "key" ? admin.holder.user?.role : undefined;
  return role === "proxy_admin_viewer" || role === "internal_user_viewer";
}

/** @throws ProxyError 403 */
export function requireAdmin(admin: Admin): void {
  if (!isAdmin(admin)) throw forbidden("Only proxy admins may do this: the master key, and keys of users with user_role proxy_admin.");
}

/** Whether it is, by its user, an admin of this team. */
export function leads(admin: Admin, teamId: string | undefined): boolean {
  if (admin.kind === "master" || teamId === undefined) return false;
  const { key, team } = admin.holder;
  return team?.id === teamId && team.members.some(({ userId, role }) => role === "admin" && userId === key.userId);
}

/** Whether a key is its own, or of those it is in charge of. */
export function maySeeKey(admin: Admin, key: VirtualKey): boolean {
  return seesAll(admin) || mayManageKey(admin, key);
}

export function mayManageKey(admin: Admin, key: VirtualKey): boolean {
  if (isAdmin(admin) || admin.kind === "master") return true;
  const { key: own } = admin.holder;
  return own.id === key.id || own.id === key.createdBy || isOfSameUser(own, key) || leads(admin, key.teamId);
}

/** Keys that are nobody's are not one another's. */
function isOfSameUser(own: Owner, other: Owner): boolean {
  return own.userId !== undefined && own.userId === other.userId && own.teamId === other.teamId;
}

export function maySeeUser(admin: Admin, userId: string): boolean {
  return seesAll(admin) || (admin.kind === "key" && admin.holder.key.userId === userId);
}

export function maySeeTeam(admin: Admin, team: Team): boolean {
  if (seesAll(admin) || admin.kind === "master") return true;
  const { key } = admin.holder;
  return key.teamId === team.id || (key.userId !== undefined && team.members.some(({ userId }) => userId === key.userId));
}

/** What a key is held to itself is for others to change. @throws ProxyError 403 */
export function refuseOwn(admin: Admin, kind: "user" | "team" | "budget", id: string): void {
  if (admin.kind === "master") return;
  const { key, user, team } = admin.holder;
  const own = {
    user: [key.userId],
    team: [key.teamId],
    budget: [key.budgetId, user?.budgetId, team?.budgetId],
  }[kind];
  if (own.includes(id)) throw forbidden(`Your key is held to this ${kind} itself; the master key may change it.`);
}

/**
 * @param budget that the wanted key names
 * @throws ProxyError 403 that names each field that exceeds
 */
export function checkGrant(admin: Admin, wanted: VirtualKey, budget: Budget | undefined, accessGroups: readonly string[]): void {
  if (admin.kind === "master") return;
  const { key, team } = admin.holder;
  const reasons = refuseGrant(key, withBudget(wanted, budget), {
    accessGroups: new Set(accessGroups),
    teamModels: team?.models,
    isAdmin: isAdmin(admin),
  });
  // Whoever leads a team makes keys for all of its members.
  const held = leads(admin, wanted.teamId) ? reasons.filter((reason) => !reason.startsWith("user_id:")) : reasons;
  if (held.length > 0) throw forbidden(`Your key may not grant this: ${held.join("; ")}.`);
}

/** For `created_by`. */
export function nameOfAdmin(admin: Admin): string {
  return admin.kind === "master" ? "master" : admin.holder.key.id;
}
