/** What `config.yaml` may hold about stores, budgets and the cache, under LiteLLM's names. The descriptions are its reference documentation. */

import { z } from "zod";
import { budgetPeriodText } from "./budgets.ts";
import { amount, anything, count, flag, key, portNumber, seconds, text, type MappingSchema } from "./schema-values.ts";

const periodText = z.string().regex(/^\d+(s|m|h|d|w|mo)$/, { error: "a time such as 30s, 10m, 24h, 7d or 1mo" });

export interface StoreKeys {
  readonly database_url: string | undefined;
  readonly database_connection_pool_limit: number | undefined;
  readonly maximum_spend_logs_retention_period: string | undefined;
  readonly disable_spend_logs: boolean | undefined;
  readonly global_max_parallel_requests: number | undefined;
  readonly token_rate_limit_type: "input" | "output" | "total" | undefined;
  readonly alerting: unknown;
  readonly alert_to_webhook_url: unknown;
  readonly alert_webhook: unknown;
}

/** In `general_settings`. */
export const storeSchema: MappingSchema<StoreKeys> = z.object({
  database_url: key(z.string().regex(/^postgres(ql)?:\/\//, { error: "a URL that begins with postgres://" }), {
    description: "PostgreSQL for keys, limits and spend, which several instances then share.",
    type: "URL",
    default: "the variable `DATABASE_URL`, else SQLite in `~/.ccproxy/ccproxy.db`",
  }),
  database_connection_pool_limit: key(count(1), { description: "Connections to it, at most.", type: "whole number", default: "10" }),
  maximum_spend_logs_retention_period: key(periodText, { description: "Rows of spend that are older are forgotten.", type: "time" }),
  disable_spend_logs: key(flag, {
    description: "Keeps no rows of spend. Budgets are then counted from the start of the process.",
    type: "true or false",
    default: "`false`",
  }),
  global_max_parallel_requests: key(count(1), { description: "Requests at a time, of all callers together.", type: "whole number" }),
  token_rate_limit_type: key(z.enum(["input", "output", "total"]), {
    description: "Which tokens `tpm` limits of keys, users and teams count.",
    type: "`input`, `output` or `total`",
    default: "`total`",
  }),
  alerting: key(anything, {
    description:
      "Who is told of budgets that are nearly used up: `slack`, at the URL in the variable `SLACK_WEBHOOK_URL`, and `webhook`, at that in `WEBHOOK_URL`.",
    type: "list of names",
    default: "nobody; the log has it in any case",
  }),
  alert_to_webhook_url: key(anything, { description: "URLs by type of alert; that of `budget_alerts` counts here.", type: "mapping" }),
  alert_webhook: key(anything, {
    description: "Ours. URLs that are told of budgets, as Slack's webhooks want it.",
    type: "URL, or list of URLs",
  }),
});

export interface RedisKeys {
  readonly redis_url: string | undefined;
  readonly redis_host: string | undefined;
  readonly redis_port: number | undefined;
  readonly redis_username: string | undefined;
  readonly redis_password: string | undefined;
  readonly redis_db: number | undefined;
  readonly redis_ssl: boolean | undefined;
  readonly when_redis_is_away: "fail_open" | "fail_closed" | undefined;
  readonly provider_budget_config: unknown;
}

/** In `router_settings`. */
export const redisSchema: MappingSchema<RedisKeys> = z.object({
  redis_url: key(z.string().regex(/^rediss?:\/\//, { error: "a URL that begins with redis:// or rediss://" }), {
    description: "Redis for limits, cooldowns, affinity and the cache, which several instances then share.",
    type: "URL",
    default: "none; each instance counts for itself",
  }),
  redis_host: key(text, { description: "The same in parts.", type: "host" }),
  redis_port: key(portNumber, { description: "Its port.", type: "whole number", default: "6379" }),
  redis_username: key(text, { description: "Its user.", type: "text" }),
  redis_password: key(text, { description: "Its password.", type: "text" }),
  redis_db: key(count(0), { description: "Its database.", type: "whole number", default: "0" }),
  redis_ssl: key(flag, { description: "Whether it is spoken to by TLS.", type: "true or false", default: "`false`" }),
  when_redis_is_away: key(z.enum(["fail_open", "fail_closed"]), {
    description: "Ours. Each instance counts for itself meanwhile (`fail_open`), or refuses whoever has a limit (`fail_closed`).",
    type: "`fail_open` or `fail_closed`",
    default: "`fail_open`",
  }),
  provider_budget_config: key(anything, {
    description: "What may be spent with a provider: `{openai: {max_budget: 100, budget_duration: 30d}}`.",
    type: "mapping of providers to budgets",
  }),
});

export interface CacheSettingKeys {
  readonly cache: boolean | undefined;
  readonly cache_params: unknown;
  readonly max_budget: number | undefined;
  readonly budget_duration: string | undefined;
  readonly tag_budget_config: unknown;
}

/** In `litellm_settings`. */
export const cacheSettingSchema: MappingSchema<CacheSettingKeys> = z.object({
  cache: key(flag, {
    description: "Keeps whole replies, and gives them again for the same request.",
    type: "true or false",
    default: "`false`",
  }),
  cache_params: key(anything, { description: "Where, and for how long. See *cache_params* below.", type: "mapping" }),
  max_budget: key(amount, { description: "What all callers together may spend.", type: "US dollars" }),
  budget_duration: key(budgetPeriodText, { description: "After which that begins anew.", type: "time", default: "never" }),
  tag_budget_config: key(anything, {
    description: "What requests with a tag may spend: `{my-tag: {max_budget: 10, budget_duration: 1d}}`.",
    type: "mapping of tags to budgets",
  }),
});

export interface CacheParamKeys {
  readonly type: "local" | "redis" | "disk" | undefined;
  readonly ttl: number | undefined;
  readonly namespace: string | undefined;
  readonly mode: "default_on" | "default_off" | undefined;
  readonly supported_call_types: readonly string[] | undefined;
  readonly shared: boolean | undefined;
  readonly tools: boolean | undefined;
  readonly max_mb: number | undefined;
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number | undefined;
  readonly ssl: boolean | undefined;
}

export const cacheParamSchema: MappingSchema<CacheParamKeys> = z.object({
  type: key(z.enum(["local", "redis", "disk"]), {
    description: "In memory, in Redis, or in SQLite.",
    type: "`local`, `redis` or `disk`",
    default: "`redis` where one is named, else `local`",
  }),
  ttl: key(seconds, { description: "How long a reply is kept.", type: "seconds", default: "600" }),
  namespace: key(text, { description: "Keeps the entries apart from those of others in the same Redis.", type: "text" }),
  mode: key(z.enum(["default_on", "default_off"]), {
    description: "Whether a request is cached that does not say `cache: {use-cache: true}`.",
    type: "`default_on` or `default_off`",
    default: "`default_on`",
  }),
  supported_call_types: key(z.array(text), {
    description: "LiteLLM's names of calls that are cached: `acompletion`, `anthropic_messages`, `aresponses`, `aembedding` and the like.",
    type: "list of names",
    default: "all",
  }),
  shared: key(flag, {
    description: "Ours. Whether callers with different keys may get each other's replies, as in LiteLLM.",
    type: "true or false",
    default: "`false`",
  }),
  tools: key(flag, { description: "Ours. Whether requests with tools are cached, too.", type: "true or false", default: "`false`" }),
  max_mb: key(count(1), { description: "Ours. How much is kept in memory or on disk.", type: "megabytes", default: "64" }),
  url: key(text, { description: "Of Redis, where it is another than that of `router_settings`.", type: "URL" }),
  host: key(text, { description: "Likewise.", type: "host" }),
  port: key(portNumber, { description: "Likewise.", type: "whole number" }),
  username: key(text, { description: "Likewise.", type: "text" }),
  password: key(text, { description: "Likewise.", type: "text" }),
  db: key(count(0), { description: "Likewise.", type: "whole number" }),
  ssl: key(flag, { description: "Likewise.", type: "true or false" }),
});
