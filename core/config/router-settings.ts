/** Reads what config.yaml says of choosing, failing and waiting: `router_settings`, and what LiteLLM takes from other sections. */

import { showValue } from "./describe.ts";
import { everyGroup, readDefaultFallbacks, readFallbackTable } from "./fallbacks.ts";
import { readGroupPolicies, readPolicy } from "./policies.ts";
import type { Report } from "./report.ts";
import {
  type AffinityConfig,
  type FallbackConfig,
  type HealthConfig,
  type NamedGroup,
  type RouterConfig,
  type StrategyConfig,
  defaultRouter,
} from "./router-types.ts";
import type { Settings } from "./settings.ts";
import { didYouMean } from "./suggest.ts";
import { readTimeouts, toMs } from "./timeouts.ts";
import { keyOf, valueOf, within, type Place } from "./tree.ts";

interface Reading {
  /** The whole file. */
  readonly root: Place;
  readonly settings: Settings;
  readonly named: NamedGroup[];
  readonly report: Report;
}

/** What of it is right, defaults for the rest; what is not right is in the report. */
export function readRouter(root: Place, settings: Settings, report: Report): RouterConfig {
  const { router, litellm } = settings;
  const named: NamedGroup[] = [];
  const reading: Reading = { root, settings, named, report };
  const place = within(root, "router_settings");
  const checks = readPreCallChecks(reading);
  return {
    strategy: readStrategy(reading),
    preCallChecks: router.enable_pre_call_checks ?? defaultRouter.preCallChecks,
    enforceLimits: checks.enforceLimits,
    affinity: checks.affinity,
    tags: {
      enabled: router.enable_tag_filtering ?? defaultRouter.tags.enabled,
      matchAny: router.tag_filtering_match_any ?? defaultRouter.tags.matchAny,
    },
    retries: {
      count: router.num_retries ?? litellm.num_retries,
      policy: readPolicy(within(place, "retry_policy"), "Retries", report),
      groupPolicies: readGroupPolicies(within(place, "model_group_retry_policy"), reading),
      minDelayMs: toMs(router.retry_after) ?? defaultRouter.retries.minDelayMs,
    },
    fallbacks: readFallbacks(reading),
    cooldown: {
      enabled: router.disable_cooldowns !== true,
      ms: toMs(router.cooldown_time ?? litellm.cooldown_time) ?? defaultRouter.cooldown.ms,
      allowedFails: router.allowed_fails ?? litellm.allowed_fails,
      policy: readPolicy(within(place, "allowed_fails_policy"), "AllowedFails", report),
    },
    defaultMaxParallelRequests: router.default_max_parallel_requests,
    holdMs: toMs(router.hold_seconds) ?? defaultRouter.holdMs,
    streamResume: router.stream_resume ?? defaultRouter.streamResume,
    timeouts: readTimeouts(router, { timeout: litellm.request_timeout }),
    health: readHealth(reading),
    named,
  };
}

/** LiteLLM's own strategies, whose names are also taken in other spellings. */
const strategies: readonly string[] = [
  "simple-shuffle",
  "least-busy",
  "latency-based-routing",
  "usage-based-routing-v2",
  "cost-based-routing",
];

function readStrategy({ root, settings: { router } }: Reading): StrategyConfig {
  const written = router.routing_strategy;
  const folded = written?.toLowerCase().replaceAll("_", "-");
  const usual = folded === "usage-based-routing" ? "usage-based-routing-v2" : strategies.find((name) => name === folded);
  const at = within(root, "router_settings", "routing_strategy");
  const argsAt = within(root, "router_settings", "routing_strategy_args");
  const args = router.routing_strategy_args ?? {};
  return {
    name: usual ?? written ?? defaultRouter.strategy.name,
    args,
    location: written === undefined ? undefined : at.tree.locate(at.path),
    argLocations: new Map(Object.keys(args).map((name) => [name, argsAt.tree.locate([...argsAt.path, name])])),
  };
}

/** Checks of LiteLLM's that come to session affinity. */
const affinityChecks: readonly string[] = ["session_affinity", "deployment_affinity", "prompt_caching"];
const limitCheck = "enforce_model_rate_limits";
const laterChecks: readonly string[] = [
  "responses_api_deployment_check",
  "encrypted_content_affinity",
  "router_budget_limiting",
  "forward_client_headers_by_model_group",
];

function readPreCallChecks({ root, settings: { router }, report }: Reading): { affinity: AffinityConfig; enforceLimits: boolean } {
  const place = within(root, "router_settings", "optional_pre_call_checks");
  const checks = router.optional_pre_call_checks ?? [];
  for (const [index, check] of checks.entries()) {
    const at = within(place, index);
    if (affinityChecks.includes(check)) {
      if (router.session_affinity === false) report.warning(at, "has no effect beside session_affinity: false; remove one of them.");
    } else if (laterChecks.includes(check)) report.note(at, `is "${check}", which is accepted, not yet in effect.`);
    else if (check !== limitCheck) {
      const nearest = didYouMean(check, [...affinityChecks, limitCheck, ...laterChecks]);
      report.warning(at, `is ${showValue(check, at.path)}, which is no check that is known here; it has no effect.${nearest}`);
    }
  }
  return {
    affinity: {
      enabled: router.session_affinity ?? defaultRouter.affinity.enabled,
      ttlMs: toMs(router.deployment_affinity_ttl_seconds) ?? defaultRouter.affinity.ttlMs,
    },
    enforceLimits: checks.includes(limitCheck),
  };
}

function readFallbacks(reading: Reading): FallbackConfig {
  const { root, settings, report } = reading;
  const tableOf = (key: string): FallbackConfig["contextWindow"] => readFallbackTable(eitherPlace(root, key), reading);
  const general = new Map(tableOf("fallbacks"));
  const defaults = readDefaultFallbacks(eitherPlace(root, "default_fallbacks"), reading);
  if (defaults !== undefined) {
    if (general.has(everyGroup))
      report.warning(keyOf(eitherPlace(root, "default_fallbacks")), `takes the place of "${everyGroup}" in fallbacks; remove one of them.`);
    general.set(everyGroup, defaults);
  }
  return {
    general,
    contextWindow: tableOf("context_window_fallbacks"),
    contentPolicy: tableOf("content_policy_fallbacks"),
    max: settings.router.max_fallbacks ?? defaultRouter.fallbacks.max,
  };
}

/** Of `router_settings`, else of `litellm_settings`. */
function eitherPlace(root: Place, key: string): Place {
  const own = within(root, "router_settings", key);
  return valueOf(own) == null ? within(root, "litellm_settings", key) : own;
}

function readHealth({ root, settings: { router, general }, report }: Reading): HealthConfig {
  const usual = defaultRouter.health;
  const background = general.background_health_checks ?? usual.background;
  const routing = router.enable_health_check_routing ?? general.enable_health_check_routing ?? usual.routing;
  const intervalMs = toMs(general.health_check_interval) ?? usual.intervalMs;
  if (routing && !background) {
    const section = router.enable_health_check_routing === undefined ? "general_settings" : "router_settings";
    report.warning(
      keyOf(within(root, section, "enable_health_check_routing")),
      "has no effect without general_settings.background_health_checks: true.",
    );
  }
  return {
    background,
    intervalMs,
    details: general.health_check_details ?? usual.details,
    routing,
    stalenessMs: toMs(router.health_check_staleness_threshold ?? general.health_check_staleness_threshold) ?? 2 * intervalMs,
    concurrency: general.health_check_concurrency ?? usual.concurrency,
    ignoreTransient: general.health_check_ignore_transient_errors ?? usual.ignoreTransient,
  };
}
