/** Whether a key may be used now, from here, for this path and this model. Refusals are LiteLLM's: status, type and words. */

import type { ErrorKind } from "../../sdk/errors.ts";
import type { Team, User, VirtualKey } from "../../sdk/keys.ts";
import { isAddressAllowed } from "./address-access.ts";
import { isModelAllowed, type ModelAsked } from "./model-access.ts";
import { isRouteAllowed } from "./route-access.ts";

/** A key with whom it belongs to; undefined where it belongs to nobody, or they are not there any more. */
export interface KeyHolder {
  readonly key: VirtualKey;
  readonly user?: User | undefined;
  readonly team?: Team | undefined;
}

export interface Refusal {
  readonly status: 401 | 403;
  readonly kind: ErrorKind;
  /** LiteLLM's `error.type`. */
  readonly type: string;
  /** Holds no secret. */
  readonly message: string;
}

export interface RouteAsked {
  /** As it was received, without the query. */
  readonly path: string;
  /** Of the other end of the connection. */
  readonly address: string | undefined;
  /** ms since 1970. */
  readonly now: number;
}

/** Before the body is read. @returns undefined when it may */
export function refuseRoute({ key, user, team }: KeyHolder, { path, address, now }: RouteAsked): Refusal | undefined {
  if (!isAddressAllowed(key.allowedAddresses, address))
    return refusal(403, "auth_error", `Access forbidden: IP address ${address ?? "unknown"} not allowed.`);
  if (key.isBlocked) return blocked("Key is blocked. Update via `/key/unblock` if you're an admin.");
  if (user?.isBlocked === true) return blocked(`User=${user.id} is blocked.`);
  if (team?.isBlocked === true) return blocked(`Team=${team.id} is blocked. Update via \`/team/unblock\` if you're an admin.`);
  if (key.expiresAt !== undefined && key.expiresAt <= now) {
    const times = `Key Expiry time ${new Date(key.expiresAt).toISOString()} and current time ${new Date(now).toISOString()}`;
    return refusal(401, "expired_key", `Authentication Error - Expired Key. ${times}`);
  }
  if (isRouteAllowed(key.allowedRoutes, path)) return undefined;
  const only = listed(key.allowedRoutes.length === 0 ? ["llm_api_routes"] : key.allowedRoutes);
  const message = `Virtual key is not allowed to call this route. Only allowed to call routes: ${only}. Tried to call route: ${path}`;
  return refusal(403, "auth_error", message);
}

/** The model that a name means for this key. */
export function aliased({ key }: KeyHolder, model: string): string {
  return (Object.hasOwn(key.aliases, model) ? key.aliases[model] : undefined) ?? model;
}

/**
 * Once the model is known.
 *
 * @param model as it was asked for
 * @param resolve what a name is in this proxy
 * @returns undefined when it may
 */
export function refuseModel(holder: KeyHolder, model: string, resolve: (name: string) => ModelAsked): Refusal | undefined {
  const { key, user, team } = holder;
  const target = resolve(aliased(holder, model));
  const ofTeam = team?.models;
  // As in LiteLLM the name is enough where the key has it as an alias: whoever gave it the name meant the model behind it.
  const isNamed = target.name !== model && isModelAllowed(key.models, { name: model }, ofTeam);
  if (!isNamed && !isModelAllowed(key.models, target, ofTeam)) return notAllowed("key", key.models, model);
  if (team !== undefined) return isModelAllowed(team.models, target) ? undefined : notAllowed("team", team.models, model);
  // A team that is not there any more allows nothing.
  if (key.teamId !== undefined) return notAllowed("team", [], model);
  // A key of a team is not held to what its user may do alone.
  return user === undefined || isModelAllowed(user.models, target) ? undefined : notAllowed("user", user.models, model);
}

function notAllowed(owner: "key" | "team" | "user", models: readonly string[], model: string): Refusal {
  const message = `${owner} not allowed to access model. This ${owner} can only access models=${listed(models)}. Tried to access ${model}`;
  return refusal(401, `${owner}_model_access_denied`, message);
}

function blocked(what: string): Refusal {
  return refusal(401, "auth_error", `Authentication Error, ${what}`);
}

function refusal(status: Refusal["status"], type: string, message: string): Refusal {
  return { status, kind: status === 403 ? "permission_error" : "authentication_error", type, message };
}

/** As Python prints a list. */
function listed(texts: readonly string[]): string {
  return `[${texts.map((text) => `'${text}'`).join(", ")}]`;
}
