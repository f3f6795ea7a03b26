/** `/user/*`. */

import type { Json } from "../../sdk/body.ts";
import type { Team, User, VirtualKey } from "../../sdk/keys.ts";
import { quote } from "../config/describe.ts";
import { names } from "../keys/fields.ts";
import { decodeKeyGenerate } from "../keys/key-request.ts";
import { badRequest, readBody } from "../keys/read-body.ts";
import { encodeTeam } from "../keys/team-reply.ts";
import { encodeNewUser, encodeUser, encodeUserInfo } from "../keys/user-reply.ts";
import { decodeUserNew, decodeUserUpdate } from "../keys/user-request.ts";
import { type AdminReply, type AdminRoute, type Asking, changing, reading } from "./admin.ts";
import { forbidden, notFound, takenAs } from "./admin-error.ts";
import { maySeeUser, nameOfAdmin, refuseOwn, requireAdmin, seesAll } from "./admin-rights.ts";
import { standingOf, withStandings } from "./admin-standings.ts";
import { allOf, findBudget, findUser, keyIdsOf, refuseMissing } from "./keys-found.ts";
import { checkKeyToMake, createKey } from "./keys-make.ts";
import { countParameter, textParameter } from "./spend-query.ts";

export const userRoutes: readonly AdminRoute[] = [
  changing("/user/new", makeUser),
  changing("/user/update", updateUser),
  changing("/user/delete", deleteUsers),
  reading("/user/info", showUser),
  reading("/user/list", listUsers),
];

async function makeUser(asking: Asking): Promise<AdminReply> {
  const { services, admin, now, body } = asking;
  requireAdmin(admin);
  const { user, isKeyWanted, notes } = decodeUserNew(body, now);
  await findBudget(asking, user.budgetId);
  const made = isKeyWanted ? decodeKeyGenerate({ user_id: user.id }, now, nameOfAdmin(admin)) : undefined;
  if (made !== undefined) await checkKeyToMake(asking, made.key);
  try {
    await services.stores.keys.create("user", user);
  } catch (error) {
    const words = `user_id: there is a user ${quote(user.id)} already.`;
    throw takenAs(error, { id: words, alias: words }, 409);
  }
  if (made !== undefined) await createKey(asking, made.key);
  const reply = encodeNewUser(user, await standingOf(asking, "user", user), made && { key: made.key, secret: "" });
  return { body: reply, secret: made?.secret, notes, about: made === undefined ? [user.id] : [user.id, made.key.id] };
}

async function updateUser(asking: Asking): Promise<AdminReply> {
  const { services, admin, body, now } = asking;
  requireAdmin(admin);
  const { id, change, notes } = decodeUserUpdate(body, now);
  refuseOwn(admin, "user", id);
  await findBudget(asking, change(await findUser(asking, id)).budgetId);
  const user = (await services.stores.keys.update("user", id, change)) ?? refuseMissing("user", id);
  const reply = encodeUser(user, await standingOf(asking, "user", user));
  // Of LiteLLM, some versions answer with the one, some with the other.
  return { body: { ...reply, data: reply }, notes, about: [id] };
}

/** With their keys, and out of their teams. */
async function deleteUsers(asking: Asking): Promise<AdminReply> {
  const { services, admin, body, now } = asking;
  const { keys } = services.stores;
  requireAdmin(admin);
  const { fields } = readBody(body, { user_ids: names });
  const ids = [...new Set(fields.user_ids)];
  for (const id of ids) {
    if ((await keys.get("user", id)) === undefined) throw notFound(`user_ids: there is no user ${quote(id)}.`);
  }
  const keyIds = await keyIdsOf(asking, "userId", ids);
  // First what opens doors.
  await keys.delete("key", keyIds);
  const isGone = ({ userId }: Team["members"][number]): boolean => ids.includes(userId);
  for (const { id, members } of await allOf(asking, "team")) {
    if (!members.some(isGone)) continue;
    await keys.update("team", id, (team) => ({ ...team, members: team.members.filter((each) => !isGone(each)), updatedAt: now }));
  }
  const deleted = await keys.delete("user", ids);
  return { body: deleted.length, about: [...deleted, ...keyIds] };
}

async function showUser(asking: Asking): Promise<AdminReply> {
  const { ctx, admin } = asking;
  const id = textParameter(ctx, "user_id") ?? (admin.kind === "key" ? admin.holder.key.userId : undefined);
  if (id === undefined) throw badRequest("user_id: found nothing, wanted the id of a user");
  if (!maySeeUser(admin, id)) throw forbidden("Your key may ask about its own user only.");
  const user = await findUser(asking, id);
  const rows = await withStandings(asking, "key", await allOf(asking, "key", { userId: id }));
  const keys = rows.map(({ record, standing }): { key: VirtualKey; standing: typeof standing } => ({ key: record, standing }));
  const teams = (await allOf(asking, "team")).filter(({ members }) => members.some(({ userId }) => userId === id));
  const ofTeams = await withStandings(asking, "team", teams);
  return {
    body: {
      ...encodeUserInfo(user, await standingOf(asking, "user", user), keys),
      teams: ofTeams.map(({ record, standing }): Json => encodeTeam(record, standing)),
    },
  };
}

const usualSize = 25;
const mostSize = 100;

async function listUsers(asking: Asking): Promise<AdminReply> {
  const { ctx, admin, services } = asking;
  if (!seesAll(admin)) throw forbidden("Only proxy admins may list users.");
  const page = countParameter(ctx, "page", 1, 1_000_000);
  const size = countParameter(ctx, "page_size", usualSize, mostSize);
  const found = (await allOf(asking, "user")).filter(wanted(asking));
  const users: Json[] = [];
  for (const { record, standing } of await withStandings(asking, "user", found.slice((page - 1) * size, page * size))) {
    const { total } = await services.stores.keys.list("key", { limit: 1, offset: 0 }, { userId: record.id });
    users.push({ ...encodeUser(record, standing), key_count: total });
  }
  return { body: { users, total: found.length, page, page_size: size, total_pages: Math.ceil(found.length / size) } };
}

/** By the parameters of LiteLLM; names of people by a part of them. */
function wanted({ ctx }: Asking): (user: User) => boolean {
  const role = textParameter(ctx, "role");
  const ids = textParameter(ctx, "user_ids")?.split(",");
  const email = textParameter(ctx, "user_email")?.toLowerCase();
  return (user) =>
    (role === undefined || user.role === role) &&
    (ids === undefined || ids.includes(user.id)) &&
    (email === undefined || user.email?.toLowerCase().includes(email) === true);
}
