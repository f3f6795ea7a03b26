/** Bodies of `/team/new` and `/team/update`, and what they make of a team. */

import { randomUUID } from "node:crypto";

import { z } from "zod";

import type { Team, TeamMember } from "../../sdk/keys.ts";
import { listOf, name, oneOf, usd } from "./fields.ts";
import { emptied, newOwned, ownedFields, ownedOf } from "./owned-fields.ts";
import { applied, badRequest, field, readBody } from "./read-body.ts";

const memberFields = { user_id: name, role: oneOf(["admin", "user"]), max_budget_in_team: field(usd) };
const member: z.ZodType<TeamMember> = z
  .object(memberFields, { error: "a mapping with user_id and role" })
  .transform(({ user_id, role, max_budget_in_team }) => ({
    userId: user_id,
    role,
    ...(max_budget_in_team == null ? {} : { maxBudget: max_budget_in_team }),
  }));

const teamFields = {
  ...ownedFields,
  team_id: field(name),
  team_alias: field(name),
  members_with_roles: field(
    listOf(member, "members").refine((members) => new Set(members.map(({ userId }) => userId)).size === members.length, {
      error: "each user_id once",
    }),
  ),
};
type TeamFields = ReturnType<typeof readBody<typeof teamFields>>["fields"];

export interface NewTeam {
  readonly team: Team;
  readonly notes: readonly string[];
}

/** @param now ms since 1970 @throws ProxyError 400 */
export function decodeTeamNew(body: unknown, now: number): NewTeam {
  const { fields, notes } = readBody(body, teamFields);
  const bare: Team = { ...newOwned(now), id: fields.team_id ?? randomUUID(), members: [] };
  return { team: applied(bare, patchOf(fields)), notes };
}

export interface TeamUpdate {
  readonly id: string;
  readonly change: (team: Team) => Team;
  readonly notes: readonly string[];
}

/** @param now ms since 1970 @throws ProxyError 400 */
export function decodeTeamUpdate(body: unknown, now: number): TeamUpdate {
  const { fields, notes } = readBody(body, teamFields);
  if (fields.team_id == null) throw badRequest("team_id: found nothing, wanted the id of a team");
  const patch = { ...patchOf(fields), updatedAt: now };
  return { id: fields.team_id, change: (team) => applied(team, patch), notes };
}

function patchOf(fields: TeamFields): { readonly [Name in keyof Team]?: Team[Name] | null | undefined } {
  return { ...ownedOf(fields), alias: fields.team_alias, members: emptied(fields.members_with_roles, []) };
}

export interface MembersAdded {
  readonly teamId: string;
  readonly members: readonly TeamMember[];
  readonly notes: readonly string[];
}

const oneOrMore = z.union([member.transform((one) => [one]), listOf(member, "members").refine((members) => members.length > 0)], {
  error: 'a member such as {"user_id": "ada", "role": "user"}, or a list of them',
});

/** Of `/team/member_add`. A budget beside the members is that of each that has none of its own. @throws ProxyError 400 */
export function decodeMemberAdd(body: unknown): MembersAdded {
  const { fields, notes } = readBody(body, { team_id: name, member: oneOrMore, max_budget_in_team: field(usd) });
  const { team_id, member: added, max_budget_in_team: maxBudget } = fields;
  const members = added.map((one) => (maxBudget == null ? one : { maxBudget, ...one }));
  return { teamId: team_id, members, notes };
}
