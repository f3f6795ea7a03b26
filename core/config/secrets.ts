/** Gathers the exact values that must never be written anywhere. */

import { isSensitivePath } from "./describe.ts";
import { isMapping, type Path } from "./tree.ts";
import type { StoresConfig } from "./store-types.ts";
import type { DeploymentConfig } from "./types.ts";
import type { Reference } from "./variables.ts";

/** Shorter values occur everywhere; to strike them out would garble the log and hide nothing. */
const minSecretLength = 6;

/** Keys whose values are names and addresses, wherever they come from. */
const publicKeys: ReadonlySet<string | number> = new Set([
  "model",
  "model_name",
  "api_base",
  "base_url",
  "custom_llm_provider",
  "organization",
  "project",
  "api_version",
  "region_name",
  "aws_region_name",
  "aws_profile_name",
  "vertex_project",
  "vertex_location",
  "vertex_ai_project",
  "vertex_ai_location",
  "id",
  "host",
  "port",
  "redis_host",
  "redis_port",
]);

const credentialHeader = /auth|key|token|secret|cookie|password|credential/i;

export interface SecretSources {
  readonly deployments: readonly DeploymentConfig[];
  readonly masterKey: string | undefined;
  readonly stores: StoresConfig;
  readonly references: readonly Reference[];
  readonly environmentVariables: ReadonlyMap<string, string>;
}

/** Texts below keys that are called like credentials; of JSON in a text its own texts, too. */
function secretsIn(value: unknown, path: Path): readonly string[] {
  // A price a token is called like a token.
  if (typeof value === "string") return isSensitivePath(path) && Number.isNaN(Number(value)) ? [value, ...partsOf(value, path)] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => secretsIn(item, [...path, index]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => secretsIn(item, [...path, key]));
}

/** Credentials of Google are a JSON text, of which the key alone is secret. */
function partsOf(value: string, path: Path): readonly string[] {
  if (!value.trimStart().startsWith("{")) return [];
  try {
    const parts: unknown = JSON.parse(value);
    return isMapping(parts)
      ? Object.entries(parts).flatMap(([key, item]) => (isSensitivePath([key]) ? secretsIn(item, [...path, key]) : []))
      : [];
  } catch {
    return [];
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function secretsInUrl(url: string): readonly string[] {
  const { username = "", password = "" } = URL.parse(url) ?? {};
  return password === "" ? [] : [`${username}:${password}`, password, decoded(password)];
}

/** Without repetition, longest first, so that one that contains another is struck out whole. */
export function gatherSecrets(sources: SecretSources): readonly string[] {
  const values = new Set<string>();
  const add = (value: string | undefined): void => {
    if (value !== undefined && value.length >= minSecretLength) values.add(value);
  };
  add(sources.masterKey);
  for (const { apiKey, extraHeaders, params } of sources.deployments) {
    add(apiKey);
    for (const [key, value] of Object.entries(params))
      if (key !== "extra_headers") for (const secret of secretsIn(value, [key])) add(secret);
    for (const [name, value] of Object.entries(extraHeaders)) {
      if (!credentialHeader.test(name)) continue;
      add(value);
      // `Bearer <token>`: the token may turn up alone.
      add(/^\S+\s+(\S+)$/.exec(value)?.[1]);
    }
  }
  for (const { path, value } of sources.references) {
    // Items of a list are called like the list.
    const key = path.findLast((segment) => typeof segment === "string");
    if (!publicKeys.has(key ?? "")) add(value);
  }
  for (const [name, value] of sources.environmentVariables) {
    if (isSensitivePath([name])) add(value);
    // A proxy, perhaps.
    for (const secret of secretsInUrl(value)) add(secret);
  }
  const { databaseUrl, redis, cache } = sources.stores;
  for (const url of [databaseUrl, redis?.url, cache?.redis?.url]) for (const secret of secretsInUrl(url ?? "")) add(secret);
  // Whoever knows such a URL may write to the channel.
  for (const url of sources.stores.alertUrls) add(url);
  add(redis?.password);
  add(cache?.redis?.password);
  return [...values].sort((a, b) => b.length - a.length);
}
