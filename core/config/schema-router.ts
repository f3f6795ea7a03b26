/** What `router_settings` of config.yaml may hold with an effect: LiteLLM's keys, and ours beside them. The descriptions are its reference documentation. */

import { z } from "zod";
import type { PolicyClass } from "./router-types.ts";
import { anything, count, duration, flag, key, milliseconds, seconds, text, type MappingSchema } from "./schema-values.ts";

export interface ChoiceKeys {
  readonly model_group_alias: unknown;
  readonly routing_strategy: string | undefined;
  readonly routing_strategy_args: Readonly<Record<string, unknown>> | undefined;
  readonly session_affinity: boolean | undefined;
  readonly deployment_affinity_ttl_seconds: number | undefined;
  readonly enable_pre_call_checks: boolean | undefined;
  readonly optional_pre_call_checks: readonly string[] | undefined;
  readonly enable_tag_filtering: boolean | undefined;
  readonly tag_filtering_match_any: boolean | undefined;
  readonly default_max_parallel_requests: number | undefined;
  readonly enable_health_check_routing: boolean | undefined;
  readonly health_check_staleness_threshold: number | undefined;
}

/** Who is asked. */
export const choiceSchema: MappingSchema<ChoiceKeys> = z.object({
  model_group_alias: key(anything, {
    description:
      "Other names for model names: `alias: model_name`, or `alias: {model: model_name, hidden: true}`, which model lists leave out. An alias wins over a `model_name` of the same spelling.",
    type: "mapping",
    default: "none",
  }),
  routing_strategy: key(text, {
    description:
      "How one of several deployments is chosen: `simple-shuffle`, `least-busy`, `latency-based-routing`, `usage-based-routing-v2`, `cost-based-routing`, or that of a plugin. `usage-based-routing` means its second version.",
    type: "name",
    default: "`simple-shuffle`",
  }),
  routing_strategy_args: key(z.record(z.string(), z.unknown()), {
    description: "What the strategy is given, e.g. `lowest_latency_buffer`.",
    type: "mapping",
    default: "none",
  }),
  session_affinity: key(flag, {
    description:
      "Ours. Keeps a session on the deployment, and the key, that holds its prompt cache, as long as that one can be asked. LiteLLM's `session_affinity`, `deployment_affinity` and `prompt_caching` among `optional_pre_call_checks` mean the same.",
    type: "true or false",
    default: "`true`",
  }),
  deployment_affinity_ttl_seconds: key(seconds, {
    description: "How long after its last request a session stays bound.",
    type: "seconds",
    default: "3600",
  }),
  enable_pre_call_checks: key(flag, {
    description: "Leaves out deployments whose context window is too small for a request, or that cannot do what it asks for.",
    type: "true or false",
    default: "`false`",
  }),
  optional_pre_call_checks: key(z.array(text), {
    description:
      "LiteLLM's checks by name. `enforce_model_rate_limits` makes `rpm` and `tpm` hard limits whatever the strategy; `session_affinity`, `deployment_affinity` and `prompt_caching` are on anyway. Others make a note.",
    type: "list of names",
    default: "none",
  }),
  enable_tag_filtering: key(flag, {
    description: "Requests with tags go to deployments with those `tags`.",
    type: "true or false",
    default: "`false`",
  }),
  tag_filtering_match_any: key(flag, {
    description: "Whether one tag in common is enough; else a deployment needs all tags of the request.",
    type: "true or false",
    default: "`true`",
  }),
  default_max_parallel_requests: key(count(1), {
    description: "For deployments that have neither `max_parallel_requests` nor `rpm` nor `tpm`.",
    type: "whole number",
    default: "no limit",
  }),
  enable_health_check_routing: key(flag, {
    description: "Deployments that failed their last background check get no requests while there are others.",
    type: "true or false",
    default: "that of `general_settings`, else `false`",
  }),
  health_check_staleness_threshold: key(seconds, {
    description: "How long the result of a check counts.",
    type: "seconds",
    default: "that of `general_settings`, else twice `health_check_interval`",
  }),
});

export interface FailureKeys {
  readonly num_retries: number | undefined;
  readonly retry_after: number | undefined;
  readonly retry_policy: unknown;
  readonly model_group_retry_policy: unknown;
  readonly fallbacks: unknown;
  readonly default_fallbacks: unknown;
  readonly context_window_fallbacks: unknown;
  readonly content_policy_fallbacks: unknown;
  readonly max_fallbacks: number | undefined;
  readonly allowed_fails: number | undefined;
  readonly allowed_fails_policy: unknown;
  readonly cooldown_time: number | undefined;
  readonly disable_cooldowns: boolean | undefined;
}

const fromSettings = (otherwise: string): string => `that of \`litellm_settings\`, else ${otherwise}`;

/** What happens when asking fails. */
export const failureSchema: MappingSchema<FailureKeys> = z.object({
  num_retries: key(count(0), {
    description: "How many more attempts are made within a group after the first one failed.",
    type: "whole number",
    default: fromSettings("2; 0 for models of a vendor that no entry names"),
  }),
  retry_after: key(duration, {
    description: "The shortest wait before the same deployment is asked again. Another deployment is asked at once.",
    type: "seconds",
    default: "0",
  }),
  retry_policy: key(anything, {
    description: "Retries by the class of the failure; see below.",
    type: "mapping",
    default: "`num_retries`",
  }),
  model_group_retry_policy: key(anything, {
    description: "By `model_name` a mapping like `retry_policy`, which counts in its place.",
    type: "mapping",
    default: "none",
  }),
  fallbacks: key(anything, {
    description:
      "Where requests go when a group fails: a list of `{model_name: [others]}`; `*` stands for every group not listed. In place of a name, `{model: name, max_tokens: 1000}` replaces fields of the request, too.",
    type: "list of mappings",
    default: fromSettings("none"),
  }),
  default_fallbacks: key(anything, {
    description: "The same for every group that `fallbacks` does not list, and for models that nobody serves.",
    type: "list of names",
    default: fromSettings("none"),
  }),
  context_window_fallbacks: key(anything, {
    description: "As `fallbacks`, for requests that are too long. Where it is given, `fallbacks` does not count for them.",
    type: "list of mappings",
    default: fromSettings("`fallbacks`"),
  }),
  content_policy_fallbacks: key(anything, {
    description: "Likewise, for requests that a provider's filter refuses.",
    type: "list of mappings",
    default: fromSettings("`fallbacks`"),
  }),
  max_fallbacks: key(count(0), {
    description: "How long a chain of fallbacks of fallbacks is at most; lists are asked to their end.",
    type: "whole number",
    default: "5",
  }),
  allowed_fails: key(count(0), {
    description: "How many failures within `cooldown_time` leave a deployment in use.",
    type: "whole number",
    default: fromSettings("the share of failures decides"),
  }),
  allowed_fails_policy: key(anything, {
    description: "The same by the class of the failure; see below.",
    type: "mapping",
    default: "`allowed_fails`",
  }),
  cooldown_time: key(duration, {
    description: "How long a deployment stays out of use where its provider does not say. 0: it is never taken out.",
    type: "seconds",
    default: fromSettings("5"),
  }),
  disable_cooldowns: key(flag, {
    description: "Leaves every deployment in use, whatever happens.",
    type: "true or false",
    default: "`false`",
  }),
});

export interface StreamKeys {
  readonly timeout: number | undefined;
  readonly stream_timeout: number | undefined;
  readonly connect_timeout: number | undefined;
  readonly idle_timeout: number | undefined;
  readonly silence_timeout: number | undefined;
  readonly total_timeout: number | undefined;
  readonly hold_seconds: number | undefined;
  readonly stream_resume: boolean | undefined;
  readonly hedge_after_ms: number | undefined;
  readonly on_disconnect: "abort" | "drain" | undefined;
}

/** How long is waited, and what becomes of streams. */
export const streamSchema: MappingSchema<StreamKeys> = z.object({
  timeout: key(seconds, {
    description: "`timeout` of every deployment that has none of its own.",
    type: "seconds",
    default: "`litellm_settings.request_timeout`, else 600",
  }),
  stream_timeout: key(seconds, { description: "`stream_timeout`, likewise.", type: "seconds", default: "`timeout`" }),
  connect_timeout: key(seconds, { description: "Ours. `connect_timeout`, likewise.", type: "seconds", default: "10" }),
  idle_timeout: key(seconds, { description: "Ours. `idle_timeout`, likewise.", type: "seconds", default: "300" }),
  silence_timeout: key(seconds, { description: "Ours. `silence_timeout`, likewise.", type: "seconds", default: "600" }),
  total_timeout: key(seconds, { description: "Ours. `total_timeout`, likewise.", type: "seconds", default: "none" }),
  hold_seconds: key(duration, {
    description:
      "Ours. How long the head of a stream is held back, for its content to come, while another attempt would be possible. 0: not at all.",
    type: "seconds",
    default: "10",
  }),
  stream_resume: key(flag, {
    description: "Ours. A text that breaks off is continued by another deployment, where its provider can go on from a beginning.",
    type: "true or false",
    default: "`false`",
  }),
  hedge_after_ms: key(milliseconds, {
    description: "Ours. `hedge_after_ms` of every deployment that has none of its own.",
    type: "milliseconds",
    default: "never",
  }),
  on_disconnect: key(z.enum(["abort", "drain"]), {
    description: "Ours. `on_disconnect` of every deployment that has none of its own.",
    type: "abort or drain",
    default: "as the provider bills",
  }),
});

/** Keys by the class of a failure, e.g. `TimeoutErrorRetries`. */
type PolicyKeys<Ending extends string> = { readonly [Class in PolicyClass as `${Class}${Ending}`]: number | undefined };

const failures: Readonly<Record<PolicyClass, string>> = {
  BadRequestError: "Requests that were refused as wrong.",
  AuthenticationError: "Credentials that were refused.",
  TimeoutError: "Answers that took too long.",
  RateLimitError: "Limits that were reached.",
  ContentPolicyViolationError: "Requests that a filter refused.",
  InternalServerError: "Failures of the provider, and of the connection.",
  NotFoundError: "Models that the provider does not know.",
};

const times = (failure: PolicyClass): z.ZodType<number | undefined> =>
  key(count(0), { description: failures[failure], type: "whole number" });

/** `retry_policy`. */
export const retryPolicySchema: MappingSchema<PolicyKeys<"Retries">> = z.object({
  BadRequestErrorRetries: times("BadRequestError"),
  AuthenticationErrorRetries: times("AuthenticationError"),
  TimeoutErrorRetries: times("TimeoutError"),
  RateLimitErrorRetries: times("RateLimitError"),
  ContentPolicyViolationErrorRetries: times("ContentPolicyViolationError"),
  InternalServerErrorRetries: times("InternalServerError"),
  NotFoundErrorRetries: times("NotFoundError"),
});

/** `allowed_fails_policy`. */
export const allowedFailsPolicySchema: MappingSchema<PolicyKeys<"AllowedFails">> = z.object({
  BadRequestErrorAllowedFails: times("BadRequestError"),
  AuthenticationErrorAllowedFails: times("AuthenticationError"),
  TimeoutErrorAllowedFails: times("TimeoutError"),
  RateLimitErrorAllowedFails: times("RateLimitError"),
  ContentPolicyViolationErrorAllowedFails: times("ContentPolicyViolationError"),
  InternalServerErrorAllowedFails: times("InternalServerError"),
  NotFoundErrorAllowedFails: times("NotFoundError"),
});

export interface HealthKeys {
  readonly background_health_checks: boolean | undefined;
  readonly health_check_interval: number | undefined;
  readonly health_check_details: boolean | undefined;
  readonly health_check_concurrency: number | undefined;
  readonly health_check_ignore_transient_errors: boolean | undefined;
  readonly enable_health_check_routing: boolean | undefined;
  readonly health_check_staleness_threshold: number | undefined;
}

/** Of `general_settings`, what is about checks of deployments. */
export const healthSchema: MappingSchema<HealthKeys> = z.object({
  background_health_checks: key(flag, {
    description: "Asks every deployment now and then, with a request of its own.",
    type: "true or false",
    default: "`false`",
  }),
  health_check_interval: key(seconds, { description: "How often.", type: "seconds", default: "300" }),
  health_check_details: key(flag, {
    description: "Whether `/health` tells what the deployments are besides how they are.",
    type: "true or false",
    default: "`true`",
  }),
  health_check_concurrency: key(count(1), { description: "How many are asked at a time.", type: "whole number", default: "4" }),
  health_check_ignore_transient_errors: key(flag, {
    description: "Whether 408 and 429 leave a deployment healthy.",
    type: "true or false",
    default: "`false`",
  }),
  enable_health_check_routing: key(flag, {
    description: "Where `router_settings` does not say it.",
    type: "true or false",
    default: "`false`",
  }),
  health_check_staleness_threshold: key(seconds, {
    description: "Where `router_settings` does not say it.",
    type: "seconds",
    default: "twice `health_check_interval`",
  }),
});
