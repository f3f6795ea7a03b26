/** Puts together what an entry of `model_list` says of choosing it, from the places in which LiteLLM takes it. */

import type { RoutingParams } from "./router-types.ts";
import type { DeploymentKeys } from "./schema-litellm.ts";
import type { HealthInfoKeys, RoutingKeys } from "./schema-routing.ts";
import type { Settings } from "./settings.ts";
import { toMs } from "./timeouts.ts";

export interface RoutingSources {
  readonly entry: Partial<DeploymentKeys>;
  readonly params: Partial<RoutingKeys>;
  readonly info: Partial<HealthInfoKeys>;
  readonly router: Settings["router"];
}

export function readRouting({ entry, params, info, router }: RoutingSources): RoutingParams {
  return {
    weight: params.weight,
    order: params.order,
    rpm: entry.rpm ?? params.rpm ?? info.rpm,
    tpm: entry.tpm ?? params.tpm ?? info.tpm,
    maxParallelRequests: params.max_parallel_requests,
    budget: params.max_budget === undefined ? undefined : { max: params.max_budget, duration: params.budget_duration },
    tags: params.tags ?? [],
    cooldownMs: toMs(params.cooldown_time),
    retries: params.num_retries ?? params.max_retries,
    hedgeAfterMs: params.hedge_after_ms ?? router.hedge_after_ms,
    onDisconnect: params.on_disconnect ?? router.on_disconnect,
    health: {
      enabled: info.disable_background_health_check !== true,
      model: info.health_check_model,
      timeoutMs: toMs(info.health_check_timeout),
      maxTokens: info.health_check_max_tokens,
    },
  };
}
