/** What the configuration says of retries, fallbacks, cooldowns and the choice among deployments. */

import type { Json } from "../../sdk/body.ts";
import type { BudgetConfig } from "./store-types.ts";
import type { Location, Timeouts } from "./types.ts";

/** LiteLLM's classes of failures, as `retry_policy` and `allowed_fails_policy` name them without their endings. */
export type PolicyClass =
  | "BadRequestError"
  | "AuthenticationError"
  | "TimeoutError"
  | "RateLimitError"
  | "ContentPolicyViolationError"
  | "InternalServerError"
  | "NotFoundError";

export type ByPolicyClass = Readonly<Partial<Record<PolicyClass, number>>>;

/** Where a request may go instead. */
export interface FallbackTarget {
  /** A model group, an alias, or the id of a deployment. */
  readonly name: string;
  /** Fields of the request that replace the caller's. */
  readonly overrides: Readonly<Record<string, Json>>;
}

/** By the group that failed; `*` is every other. */
export type FallbackTable = ReadonlyMap<string, readonly FallbackTarget[]>;

export interface FallbackConfig {
  readonly general: FallbackTable;
  /** Undefined where not configured: then the general ones count. */
  readonly contextWindow: FallbackTable | undefined;
  readonly contentPolicy: FallbackTable | undefined;
  /** How long a chain of fallbacks of fallbacks may be. */
  readonly max: number;
}

export interface RetryConfig {
  /** Undefined where not configured. */
  readonly count: number | undefined;
  readonly policy: ByPolicyClass;
  /** By group, in place of `policy`. */
  readonly groupPolicies: ReadonlyMap<string, ByPolicyClass>;
  /** The shortest wait before the same deployment is asked again. */
  readonly minDelayMs: number;
}

export interface CooldownConfig {
  readonly enabled: boolean;
  /** Where the provider does not say how long; 0: not at all. */
  readonly ms: number;
  /** Undefined where not configured: then the share of failures decides. */
  readonly allowedFails: number | undefined;
  readonly policy: ByPolicyClass;
}

export interface AffinityConfig {
  readonly enabled: boolean;
  /** Since the session's last request. */
  readonly ttlMs: number;
}

export interface HealthConfig {
  /** Whether deployments are asked without need. */
  readonly background: boolean;
  readonly intervalMs: number;
  /** Whether `/health` tells what the deployments are besides how they are. */
  readonly details: boolean;
  /** Whether those that failed their last check get no requests. */
  readonly routing: boolean;
  /** How long a result counts. */
  readonly stalenessMs: number;
  /** How many are asked at a time. */
  readonly concurrency: number;
  /** Whether 408 and 429 leave a deployment healthy. */
  readonly ignoreTransient: boolean;
}

export interface StrategyConfig {
  /** One of LiteLLM's other spellings comes as the usual one. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Undefined where not configured. */
  readonly location: Location | undefined;
  /** Where the arguments stand, by name. */
  readonly argLocations?: ReadonlyMap<string, Location>;
}

/** A group that the settings name, for finding out whether it is there. */
export interface NamedGroup {
  readonly name: string;
  /** `source`: what is said holds for requests to it. `target`: requests go there. */
  readonly as: "source" | "target";
  readonly location: Location;
  /** JSON path. */
  readonly path: string;
}

export interface RouterConfig {
  readonly strategy: StrategyConfig;
  readonly preCallChecks: boolean;
  /** Whether rpm and tpm are hard limits whatever the strategy. */
  readonly enforceLimits: boolean;
  readonly affinity: AffinityConfig;
  readonly tags: { readonly enabled: boolean; readonly matchAny: boolean };
  readonly retries: RetryConfig;
  readonly fallbacks: FallbackConfig;
  readonly cooldown: CooldownConfig;
  readonly defaultMaxParallelRequests: number | undefined;
  /** How long the head of a stream is held while another attempt is possible. */
  readonly holdMs: number;
  /** Whether a text that broke off is continued on another deployment. */
  readonly streamResume: boolean;
  /** Of deployments that say nothing else, and of models that no entry names. */
  readonly timeouts: Timeouts;
  readonly health: HealthConfig;
  readonly named: readonly NamedGroup[];
}

export const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  headersMs: 600_000,
  wholeMs: 600_000,
  idleMs: 300_000,
  silenceMs: 600_000,
  totalMs: undefined,
};

export const defaultRouter: RouterConfig = {
  strategy: { name: "simple-shuffle", args: {}, location: undefined },
  preCallChecks: false,
  enforceLimits: false,
  affinity: { enabled: true, ttlMs: 3_600_000 },
  tags: { enabled: false, matchAny: true },
  retries: { count: undefined, policy: {}, groupPolicies: new Map(), minDelayMs: 0 },
  fallbacks: { general: new Map(), contextWindow: undefined, contentPolicy: undefined, max: 5 },
  cooldown: { enabled: true, ms: 5000, allowedFails: undefined, policy: {} },
  defaultMaxParallelRequests: undefined,
  holdMs: 10_000,
  streamResume: false,
  timeouts: defaultTimeouts,
  health: {
    background: false,
    intervalMs: 300_000,
    details: true,
    routing: false,
    stalenessMs: 600_000,
    concurrency: 4,
    ignoreTransient: false,
  },
  named: [],
};

/** Of one deployment. */
export interface RoutingParams {
  readonly weight: number | undefined;
  /** 1 is asked first; those without one come last. */
  readonly order: number | undefined;
  readonly rpm: number | undefined;
  readonly tpm: number | undefined;
  readonly maxParallelRequests: number | undefined;
  /** What may be spent with it. */
  readonly budget?: BudgetConfig | undefined;
  readonly tags: readonly string[];
  /** 0: never. */
  readonly cooldownMs: number | undefined;
  readonly retries: number | undefined;
  /** Ask another deployment as well when no content has come after so long. */
  readonly hedgeAfterMs: number | undefined;
  /** What becomes of an attempt whose client has left; undefined: as the provider bills. */
  readonly onDisconnect: "abort" | "drain" | undefined;
  readonly health: {
    readonly enabled: boolean;
    /** The model to ask, where not its own. */
    readonly model: string | undefined;
    readonly timeoutMs: number | undefined;
    readonly maxTokens: number | undefined;
  };
}

export const defaultRouting: RoutingParams = {
  weight: undefined,
  order: undefined,
  rpm: undefined,
  tpm: undefined,
  maxParallelRequests: undefined,
  tags: [],
  cooldownMs: undefined,
  retries: undefined,
  hedgeAfterMs: undefined,
  onDisconnect: undefined,
  health: { enabled: true, model: undefined, timeoutMs: undefined, maxTokens: undefined },
};
