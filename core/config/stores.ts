/** Reads where keys, limits, spend and cached replies are kept. */

import { readAlertUrls, readBudgets } from "./budgets.ts";
import { checkKeys, checkMapping } from "./check.ts";
import type { Report } from "./report.ts";
import { type CacheParamKeys, type CacheSettingKeys, type RedisKeys, type StoreKeys, cacheParamSchema } from "./schema-stores.ts";
import type { CacheConfig, RedisConfig, StoresConfig } from "./store-types.ts";
import { within, type Place } from "./tree.ts";
import type { Variables } from "./variables.ts";

const databaseVariable = "DATABASE_URL";
const dayMs = 86_400_000;
const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: dayMs, w: 7 * dayMs, mo: 30 * dayMs };

/** LiteLLM's names of calls, as one of the operations they are. */
const operationOf: ReadonlyMap<string, "generate" | "embeddings"> = new Map([
  ...[
    "completion",
    "acompletion",
    "text_completion",
    "atext_completion",
    "anthropic_messages",
    "responses",
    "aresponses",
    "generate_content",
  ].map((name) => [name, "generate"] as const),
  ...["embedding", "aembedding"].map((name) => [name, "embeddings"] as const),
]);

export const defaultStores: StoresConfig = {
  databaseUrl: undefined,
  databaseConnections: 10,
  redis: undefined,
  whenRedisIsAway: "fail_open",
  keepsSpend: true,
  spendMs: undefined,
  budget: undefined,
  tagBudgets: new Map(),
  providerBudgets: new Map(),
  alertUrls: [],
  maxParallelRequests: undefined,
  tokenLimitType: "total",
  cache: undefined,
};

export interface StoreSources {
  readonly general: Partial<StoreKeys>;
  readonly router: Partial<RedisKeys>;
  readonly litellm: Partial<CacheSettingKeys>;
  readonly variables: Variables;
}

/** @param root the whole of config.yaml */
export function readStores(root: Place, { general, router, litellm, variables }: StoreSources, report: Report): StoresConfig {
  const redis = readRedis(within(root, "router_settings"), partsOf(router), report);
  return {
    databaseUrl: general.database_url ?? (variables.get(databaseVariable)?.trim() || undefined),
    databaseConnections: general.database_connection_pool_limit ?? defaultStores.databaseConnections,
    redis,
    whenRedisIsAway: router.when_redis_is_away ?? defaultStores.whenRedisIsAway,
    keepsSpend: general.disable_spend_logs !== true,
    spendMs:
      general.maximum_spend_logs_retention_period === undefined ? undefined : readPeriod(general.maximum_spend_logs_retention_period),
    budget: litellm.max_budget === undefined ? undefined : { max: litellm.max_budget, duration: litellm.budget_duration },
    tagBudgets: readBudgets(within(root, "litellm_settings", "tag_budget_config"), report),
    providerBudgets: readBudgets(within(root, "router_settings", "provider_budget_config"), report),
    alertUrls: readAlertUrls(within(root, "general_settings"), variables, report),
    maxParallelRequests: general.global_max_parallel_requests,
    tokenLimitType: general.token_rate_limit_type ?? defaultStores.tokenLimitType,
    cache: litellm.cache === true ? readCache(within(root, "litellm_settings", "cache_params"), litellm, redis, report) : undefined,
  };
}

type RedisParts = Partial<Record<"url" | "host" | "username" | "password", string>> & {
  readonly port?: number;
  readonly db?: number;
  readonly ssl?: boolean;
};

function partsOf(keys: Partial<RedisKeys>): RedisParts {
  return Object.fromEntries(
    Object.entries(keys).flatMap(([key, value]) =>
      key.startsWith("redis_") && value !== undefined ? [[key.slice("redis_".length), value]] : [],
    ),
  );
}

function readRedis(place: Place, { url, host, port, username, password, db, ssl }: RedisParts, report: Report): RedisConfig | undefined {
  if (url === undefined && host === undefined) {
    if (port !== undefined || password !== undefined) report.warning(place, "tells of a Redis without saying where it is; add its host.");
    return undefined;
  }
  return { url, host: host ?? "127.0.0.1", port: port ?? 6379, username, password, db: db ?? 0, tls: ssl ?? false };
}

function readCache(place: Place, settings: Partial<CacheSettingKeys>, shared: RedisConfig | undefined, report: Report): CacheConfig {
  const keys: Partial<CacheParamKeys> = settings.cache_params == null ? {} : (checkMapping(place, cacheParamSchema, report) ?? {});
  if (settings.cache_params != null)
    checkKeys(place, { effective: Object.keys(cacheParamSchema.shape) }, { unknown: "warning", told: new Set() }, report);
  const redis = readRedis(place, definedOf(keys), report) ?? shared;
  if (keys.type === "redis" && redis === undefined)
    report.error(within(place, "type"), "is redis, and nothing says where it is; add host here, or redis_host to router_settings.");
  return {
    type: keys.type ?? (redis === undefined ? "local" : "redis"),
    ttlMs: (keys.ttl ?? 600) * 1000,
    namespace: keys.namespace,
    isDefaultOn: keys.mode !== "default_off",
    operations: readOperations(within(place, "supported_call_types"), keys.supported_call_types, report),
    isShared: keys.shared ?? false,
    withTools: keys.tools ?? false,
    maxBytes: (keys.max_mb ?? 64) * 1_048_576,
    redis,
  };
}

function definedOf({ url, host, port, username, password, db, ssl }: Partial<CacheParamKeys>): RedisParts {
  return Object.fromEntries(Object.entries({ url, host, port, username, password, db, ssl }).filter(([, value]) => value !== undefined));
}

function readOperations(place: Place, names: readonly string[] | undefined, report: Report): CacheConfig["operations"] {
  if (names === undefined) return ["generate", "embeddings"];
  const known = new Set<"generate" | "embeddings">();
  for (const [index, name] of names.entries()) {
    const operation = operationOf.get(name);
    if (operation === undefined) report.note(within(place, index), `names ${JSON.stringify(name)}, a call that is never cached here.`);
    else known.add(operation);
  }
  return [...known];
}

/** ms of a text such as `24h`, which the schema has checked. */
function readPeriod(text: string): number {
  const [, count = "0", unit = "s"] = /^(\d+)(\D+)$/.exec(text) ?? [];
  return Number(count) * (unitMs[unit] ?? 0);
}
