/** `/team/member_add` and `/team/member_delete`. */

import type { Json } from "../../sdk/body.ts";
import type { Team, User } from "../../sdk/keys.ts";
import { quote } from "../config/describe.ts";
import { name } from "../keys/fields.ts";
import { badRequest, field, readBody } from "../keys/read-body.ts";
import { encodeTeam } from "../keys/team-reply.ts";
import { decodeMemberAdd } from "../keys/team-request.ts";
import { encodeUser } from "../keys/user-reply.ts";
import { decodeUserNew } from "../keys/user-request.ts";
import { type AdminReply, type AdminRoute, type Asking, changing } from "./admin.ts";
import { forbidden, notFound, takenAs } from "./admin-error.ts";
import { isAdmin, leads } from "./admin-rights.ts";
import { standingOf } from "./admin-standings.ts";
import { allOf, findTeam } from "./keys-found.ts";
import { changeTeam } from "./teams.ts";

export const teamMemberRoutes: readonly AdminRoute[] = [
  changing("/team/member_add", addMembers),
  changing("/team/member_delete", deleteMember),
];

async function addMembers(asking: Asking): Promise<AdminReply> {
  const { teamId, members, notes } = decodeMemberAdd(asking.body);
  await checkLeader(
    asking,
    teamId,
    members.map(({ userId }) => userId),
  );
  const team = await changeTeam(asking, teamId, (current) => {
    const before = new Set(current.members.map(({ userId }) => userId));
    const again = members.find(({ userId }, index) => before.has(userId) || members.findIndex((one) => one.userId === userId) < index);
    if (again !== undefined) throw badRequest(`member: ${quote(again.userId)} is a member of the team already`);
    return { ...current, members: [...current.members, ...members], updatedAt: asking.now };
  });
  const users: User[] = [];
  for (const { userId } of members) users.push(await userOf(asking, userId));
  return {
    body: {
      ...encodeTeam(team, await standingOf(asking, "team", team)),
      updated_users: await encodeUsers(asking, users),
      updated_team_memberships: members.map(({ userId }): Json => ({ user_id: userId, team_id: teamId })),
    },
    notes,
    about: [teamId, ...members.map(({ userId }) => userId)],
  };
}

/** As in LiteLLM a member that nobody knows yet becomes a user. */
async function userOf({ services, now }: Asking, id: string): Promise<User> {
  const { keys } = services.stores;
  const known = await keys.get("user", id);
  if (known !== undefined) return known;
  const { user } = decodeUserNew({ user_id: id }, now);
  try {
    await keys.create("user", user);
  } catch (error) {
    // Somebody else was faster.
    const made = await keys.get("user", id);
    if (made !== undefined) return made;
    throw takenAs(error, { id: "user_id", alias: "user_id" });
  }
  return user;
}

async function encodeUsers(asking: Asking, users: readonly User[]): Promise<readonly Json[]> {
  const encoded: Json[] = [];
  for (const user of users) encoded.push(encodeUser(user, await standingOf(asking, "user", user)));
  return encoded;
}

/** With the keys that it has in the team. */
async function deleteMember(asking: Asking): Promise<AdminReply> {
  const { services, now, body } = asking;
  const { fields, notes } = readBody(body, { team_id: name, user_id: field(name), user_email: field(name) });
  const teamId = fields.team_id;
  const userId = fields.user_id ?? (await userWithEmail(asking, fields.user_email ?? undefined));
  await checkLeader(asking, teamId, [userId]);
  if (!isMember(await findTeam(asking, teamId), userId)) throw notFound(`user_id: ${quote(userId)} is no member of the team.`);
  const keys = await allOf(asking, "key", { teamId, userId });
  const ids = keys.map(({ id }) => id);
  // First what opens doors.
  await services.stores.keys.delete("key", ids);
  const team = await changeTeam(asking, teamId, (current) => ({
    ...current,
    members: current.members.filter((member) => member.userId !== userId),
    updatedAt: now,
  }));
  return { body: encodeTeam(team, await standingOf(asking, "team", team)), notes, about: [teamId, userId, ...ids] };
}

function isMember({ members }: Team, id: string): boolean {
  return members.some(({ userId }) => userId === id);
}

/** @throws ProxyError 400 @throws ProxyError 404 */
async function userWithEmail(asking: Asking, email: string | undefined): Promise<string> {
  if (email === undefined) throw badRequest("user_id: found nothing, wanted the id of a user, or user_email");
  const user = (await allOf(asking, "user")).find((one) => one.email === email);
  if (user === undefined) throw notFound("user_email: there is no user with this address.");
  return user.id;
}

/** Admins of a team are in charge of the others. @throws ProxyError 403 */
async function checkLeader({ admin }: Asking, teamId: string, userIds: readonly string[]): Promise<void> {
  if (isAdmin(admin)) return;
  if (!leads(admin, teamId)) throw forbidden("Only admins of the proxy or of the team may change its members.");
  if (admin.kind === "key" && userIds.includes(admin.holder.key.userId ?? ""))
    throw forbidden("Your own membership is for others to change.");
}
