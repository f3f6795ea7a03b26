/** `/team/*`, but for their members. */

import type { Json } from "../../sdk/body.ts";
import type { Team } from "../../sdk/keys.ts";
import { quote } from "../config/describe.ts";
import { name, names } from "../keys/fields.ts";
import { badRequest, readBody } from "../keys/read-body.ts";
import { encodeTeam, encodeTeamInfo } from "../keys/team-reply.ts";
import { decodeTeamNew, decodeTeamUpdate } from "../keys/team-request.ts";
import { type AdminAnswer, type AdminReply, type AdminRoute, type Asking, changing, reading } from "./admin.ts";
import { notFound, takenAs } from "./admin-error.ts";
import { maySeeTeam, refuseOwn, requireAdmin } from "./admin-rights.ts";
import { standingOf, withStandings } from "./admin-standings.ts";
import { allOf, findBudget, findTeam, keyIdsOf, refuseMissing } from "./keys-found.ts";
import { textParameter } from "./spend-query.ts";

export const teamRoutes: readonly AdminRoute[] = [
  changing("/team/new", makeTeam),
  changing("/team/update", updateTeam),
  changing("/team/delete", deleteTeams),
  changing("/team/block", setBlocked(true)),
  changing("/team/unblock", setBlocked(false)),
  reading("/team/info", showTeam),
  reading("/team/list", listTeams),
];

async function makeTeam(asking: Asking): Promise<AdminReply> {
  const { services, admin, body, now } = asking;
  requireAdmin(admin);
  const { team, notes } = decodeTeamNew(body, now);
  await findBudget(asking, team.budgetId);
  try {
    await services.stores.keys.create("team", team);
  } catch (error) {
    const words = `team_id: there is a team ${quote(team.id)} already.`;
    throw takenAs(error, { id: words, alias: words });
  }
  return { body: encodeTeam(team, await standingOf(asking, "team", team)), notes, about: [team.id] };
}

async function updateTeam(asking: Asking): Promise<AdminReply> {
  const { admin, body, now } = asking;
  requireAdmin(admin);
  const { id, change, notes } = decodeTeamUpdate(body, now);
  refuseOwn(admin, "team", id);
  await findBudget(asking, change(await findTeam(asking, id)).budgetId);
  const team = await changeTeam(asking, id, change);
  const reply = encodeTeam(team, await standingOf(asking, "team", team));
  // Of LiteLLM, some versions answer with the one, some with the other.
  return { body: { ...reply, data: reply }, notes, about: [id] };
}

/** @throws ProxyError 404 @throws what `change` throws */
export async function changeTeam({ services }: Asking, id: string, change: (team: Team) => Team): Promise<Team> {
  return (await services.stores.keys.update("team", id, change)) ?? refuseMissing("team", id);
}

/** With their keys. */
async function deleteTeams(asking: Asking): Promise<AdminReply> {
  const { keys } = asking.services.stores;
  requireAdmin(asking.admin);
  const { fields } = readBody(asking.body, { team_ids: names });
  const ids = [...new Set(fields.team_ids)];
  for (const id of ids) {
    if ((await keys.get("team", id)) === undefined) throw notFound(`team_ids: there is no team ${quote(id)}.`);
  }
  const keyIds = await keyIdsOf(asking, "teamId", ids);
  // First what opens doors.
  await keys.delete("key", keyIds);
  const deleted = await keys.delete("team", ids);
  return { body: { deleted_teams: deleted }, about: [...deleted, ...keyIds] };
}

function setBlocked(isBlocked: boolean): AdminAnswer {
  return async (asking) => {
    requireAdmin(asking.admin);
    const { fields, notes } = readBody(asking.body, { team_id: name });
    const team = await changeTeam(asking, fields.team_id, (current) => ({ ...current, isBlocked, updatedAt: asking.now }));
    return { body: encodeTeam(team, await standingOf(asking, "team", team)), notes, about: [team.id] };
  };
}

async function showTeam(asking: Asking): Promise<AdminReply> {
  const id = textParameter(asking.ctx, "team_id");
  if (id === undefined) throw badRequest("team_id: found nothing, wanted the id of a team");
  const team = await findTeam(asking, id);
  if (!maySeeTeam(asking.admin, team)) refuseMissing("team", id);
  const rows = await withStandings(asking, "key", await allOf(asking, "key", { teamId: id }));
  const keys = rows.map(({ record: key, standing }) => ({ key, standing }));
  return { body: { ...encodeTeamInfo(team, await standingOf(asking, "team", team), keys), team_memberships: [] } };
}

async function listTeams(asking: Asking): Promise<AdminReply> {
  const userId = textParameter(asking.ctx, "user_id");
  const isOfUser = ({ members }: Team): boolean => userId === undefined || members.some((member) => member.userId === userId);
  const teams = (await allOf(asking, "team")).filter((team) => isOfUser(team) && maySeeTeam(asking.admin, team));
  const rows = await withStandings(asking, "team", teams);
  return { body: rows.map(({ record, standing }): Json => encodeTeam(record, standing)) };
}
