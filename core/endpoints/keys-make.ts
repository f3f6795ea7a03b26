/** `/key/generate`, `/key/update` and `/key/regenerate`: what a key may do, and its secret. */

import type { VirtualKey } from "../../sdk/keys.ts";
import { quote } from "../config/describe.ts";
import { didYouMean } from "../config/suggest.ts";
import { encodeGeneratedKey, encodeUpdatedKey } from "../keys/key-reply.ts";
import { decodeKeyGenerate, decodeKeyUpdate, type KeyUpdate } from "../keys/key-request.ts";
import { badRequest } from "../keys/read-body.ts";
import { accountOf } from "../keys/account.ts";
import { createSecret, idOf, nameOf } from "../keys/secret.ts";
import { type AdminReply, type AdminRoute, type Asking, changing } from "./admin.ts";
import { conflict, forbidden, takenAs } from "./admin-error.ts";
import { checkGrant, isAdmin, leads, mayManageKey, nameOfAdmin, requireAdmin } from "./admin-rights.ts";
import { standingOf } from "./admin-standings.ts";
import { beginAnew, budgetCounters } from "./keys-counters.ts";
import { checkTeamOf, findBudget, findKey, noSuchKey } from "./keys-found.ts";

export const keyMakeRoutes: readonly AdminRoute[] = [
  changing("/key/generate", generateKey),
  changing("/key/update", updateKey),
  changing("/key/regenerate", regenerateKey),
  changing("/key/:key/regenerate", regenerateKey),
];

const taken = {
  id: "key: there is such a key already.",
  alias: "key_alias: another key has this alias already; aliases of keys are unique.",
};

async function generateKey(asking: Asking): Promise<AdminReply> {
  const { key, secret, notes } = decodeKeyGenerate(asking.body, asking.now, nameOfAdmin(asking.admin));
  await createKey(asking, key);
  // A secret of one's own choice may have had a life before.
  const standing = await standingOf(asking, "key", key);
  return {
    body: encodeGeneratedKey(key, "", standing),
    secret,
    notes: [...notes, ...unknownModels(asking, key)],
    about: [key.id],
  };
}

/** @throws ProxyError 400 or 403 */
export async function createKey(asking: Asking, key: VirtualKey): Promise<void> {
  await checkKeyToMake(asking, key);
  try {
    await asking.services.stores.keys.create("key", key);
  } catch (error) {
    throw takenAs(error, taken);
  }
}

/** Before anything that goes with it is made. @throws ProxyError 400 or 403 */
export async function checkKeyToMake(asking: Asking, key: VirtualKey): Promise<void> {
  const budget = await findBudget(asking, key.budgetId);
  await checkTeamOf(asking, key.teamId);
  checkGrant(asking.admin, key, budget, asking.services.accessGroups?.() ?? []);
}

async function updateKey(asking: Asking): Promise<AdminReply> {
  const update = decodeKeyUpdate(asking.body, asking.now);
  const key = await applyUpdate(asking, update);
  const standing = await standingOf(asking, "key", key);
  return {
    body: encodeUpdatedKey(key, standing),
    notes: [...update.notes, ...unknownModels(asking, key)],
    about: [key.id],
  };
}

/** @throws ProxyError 400, 403, 404 or 409 */
async function applyUpdate(asking: Asking, { id, change, isSpendReset }: KeyUpdate): Promise<VirtualKey> {
  const { admin, services } = asking;
  if (isSpendReset) requireAdmin(admin);
  const before = await findKey(asking, id);
  const planned = change(before);
  const budget = await findBudget(asking, planned.budgetId);
  if (planned.teamId !== before.teamId) await checkTeamOf(asking, planned.teamId);
  const checked = (current: VirtualKey): VirtualKey => {
    if (!mayManageKey(admin, current)) throw noSuchKey("key");
    const wanted = change(current);
    // It was changed meanwhile, and another budget would have to be looked at.
    if (wanted.budgetId !== planned.budgetId) throw conflict("The key was changed at the same time; try again.");
    if (current.isBlocked && !wanted.isBlocked) checkMayUnblock(asking, current);
    checkGrant(admin, wanted, budget, services.accessGroups?.() ?? []);
    return wanted;
  };
  const key = await changeKey(asking, id, checked);
  if (isSpendReset) await beginAnew(services.stores.limits, budgetCounters(key, budget, asking.now), asking.now);
  return key;
}

/** @throws ProxyError 400 or 404 @throws what `change` throws */
export async function changeKey({ services }: Asking, id: string, change: (key: VirtualKey) => VirtualKey): Promise<VirtualKey> {
  try {
    const key = await services.stores.keys.update("key", id, change);
    if (key !== undefined) return key;
  } catch (error) {
    throw takenAs(error, taken);
  }
  throw noSuchKey("key");
}

/** Whoever has blocked a key may have meant the people who hold it. @throws ProxyError 403 */
export function checkMayUnblock({ admin }: Asking, key: VirtualKey): void {
  if (!isAdmin(admin) && !leads(admin, key.teamId)) throw forbidden("Only admins of the proxy or of its team may unblock a key.");
}

/** Another secret for the same key, and whatever else `/key/update` could change. */
async function regenerateKey(asking: Asking): Promise<AdminReply> {
  const { services, now, body } = asking;
  const { key: ofBody, ...others } = mapping(body);
  const ofPath: unknown = asking.ctx["params"]["key"];
  const named = ofPath ?? ofBody ?? (asking.admin.kind === "key" ? asking.admin.holder.key.id : undefined);
  const update = decodeKeyUpdate({ ...others, key: named }, now);
  // Also where nothing changes: who gets the secret must not get more than it may grant.
  const before = await applyUpdate(asking, Object.keys(others).length === 0 ? { ...update, change: (key) => key } : update);
  const secret = createSecret();
  const next = { id: idOf(secret), name: nameOf(secret), updatedAt: now, accountId: accountOf(before) };
  const key = await services.stores.keys.rotate(before.id, next);
  if (key === undefined) throw noSuchKey("key");
  const standing = await standingOf(asking, "key", before);
  return {
    body: encodeGeneratedKey(key, "", standing),
    secret,
    notes: [...update.notes, ...unknownModels(asking, key)],
    about: [before.id, key.id],
  };
}

function mapping(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw badRequest("the body: wanted a JSON object");
  return { ...body };
}

const special = /[*/]|^(?:all-proxy-models|all-team-models|no-default-models)$/;

/** A name that nobody has most likely is a slip, which allows nothing. */
function unknownModels({ services }: Asking, { models }: VirtualKey): readonly string[] {
  const known = [...services.modelGroups(), ...(services.accessGroups?.() ?? [])];
  return models
    .filter((model) => !special.test(model) && !known.includes(model))
    .map((model) => `models: no model is called ${quote(model)} here.${didYouMean(model.slice(0, 100), known)}`);
}
