/** Which models a virtual key may ask for in this proxy. */

import type { FallbackTables, RequestOptions } from "../attempts/request-options.ts";
import type { Exchange } from "../exchange.ts";
import { type KeyHolder, type Refusal, aliased, refuseModel } from "../keys/access.ts";
import type { ModelAsked } from "../keys/model-access.ts";
import type { RouteTable } from "../routing/table.ts";
import { refusedAccess } from "./auth.ts";

export interface NamesAsked {
  /** By the caller: there the key's own names hold. */
  readonly asked: string;
  /** What the configuration makes of it. */
  readonly meant: readonly string[];
}

/**
 * A key that may have what was asked for may have what the configuration makes of it, and what it may have is not kept from it for the name
 * it was asked by. As in LiteLLM, the configured fallbacks of a group come with it, and those that the request itself names do not.
 *
 * @throws ProxyError 401 in LiteLLM's words
 */
export function checkAccess(holder: KeyHolder, names: NamesAsked, { snapshot, options }: Pick<Exchange, "snapshot" | "options">): void {
  const refused = refuseNames(holder, names, snapshot.routes) ?? refuseFallbacks(holder, options, snapshot.routes);
  if (refused !== undefined) throw refusedAccess(refused);
}

/** Those of the listed models that a key may ask for, and its own names for what it may have. */
export function allowedModels(holder: KeyHolder, routes: RouteTable): readonly string[] {
  const isAllowed = (name: string): boolean => {
    const meant = aliased(holder, name);
    if (!routes.serves(meant)) return false;
    return refuseNames(holder, { asked: name, meant: [meant, routes.resolve(meant)?.group ?? meant] }, routes) === undefined;
  };
  return [...new Set([...routes.listed, ...Object.keys(holder.key.aliases)])].filter(isAllowed);
}

/** @returns undefined when one of them is allowed, else why the first one is not */
function refuseNames(holder: KeyHolder, { asked, meant }: NamesAsked, routes: RouteTable): Refusal | undefined {
  const resolve = (name: string): ModelAsked => askedModel(name, routes);
  const plain = withoutAliases(holder);
  const refusals = [refuseModel(holder, asked, resolve), ...[...new Set(meant)].map((name) => refuseModel(plain, name, resolve))];
  return refusals.includes(undefined) ? undefined : refusals[0];
}

function refuseFallbacks(holder: KeyHolder, options: RequestOptions, routes: RouteTable): Refusal | undefined {
  const plain = withoutAliases(holder);
  for (const name of fallbackNames(options)) {
    const refused = refuseNames(plain, { asked: name, meant: [routes.resolve(name)?.group ?? name] }, routes);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function fallbackNames({ fallbacks = [], fallbackTables = {} }: RequestOptions): ReadonlySet<string> {
  const tables: FallbackTables = fallbackTables;
  const listed = Object.values(tables).flatMap((table) => [...table.values()].flat());
  return new Set([...fallbacks, ...listed].map(({ name }) => name));
}

/** Its own names mean something where it asks, and nowhere else: what they lead to must not be taken for what is called like them. */
function withoutAliases(holder: KeyHolder): KeyHolder {
  return { ...holder, key: { ...holder.key, aliases: {} } };
}

function askedModel(name: string, routes: RouteTable): ModelAsked {
  const deployments = routes.resolve(name)?.deployments ?? [];
  const [provider, ...others] = new Set(deployments.map(({ providerName }) => providerName));
  const accessGroups = deployments.flatMap(({ info }) => accessGroupsOf(info));
  return { name, provider: others.length === 0 ? provider : undefined, accessGroups };
}

/** @param info `model_info` of a deployment */
export function accessGroupsOf(info: Readonly<Record<string, unknown>>): readonly string[] {
  const groups = info["access_groups"];
  return Array.isArray(groups) ? groups.filter((group) => typeof group === "string") : [];
}
