/** Whatever stands at a key of the router: its value is what the key means, or a finding says where it is wrong. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";
import { loadConfig } from "../../../core/config/load.ts";
import * as routerSchemas from "../../../core/config/schema-router.ts";
import * as routingSchemas from "../../../core/config/schema-routing.ts";
import type { LoadedConfig } from "../../../core/config/types.ts";
import { createRegistry } from "../../../core/registry.ts";
import { buildRoutes } from "../../../core/routing/build.ts";
import { builtinPlugins } from "../../../plugins/index.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ccproxy-router-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -3, max: 12 }),
  fc.double({ min: -2, max: 200_000, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 1e300, 86_400, 86_401),
  fc.constantFrom("yes", "Off", "3", "0.5", " 7 ", "-1", "1e3", "abort", "a", "b", "*", "group", "", "__proto__", "0x10", ".5"),
  fc.string({ maxLength: 6 }),
);
const keyName = fc.constantFrom("a", "b", "*", "model", "max_tokens", "api_key", "__proto__", "RateLimitErrorRetries", "ttl", "0");
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("list"), tie("mapping")),
  list: fc.array(tie("value"), { maxLength: 3 }),
  mapping: fc.dictionary(keyName, tie("value"), { maxKeys: 3 }),
}));

async function load(text: string): Promise<LoadedConfig & { readonly lines: number }> {
  await writeFile(join(directory, "config.yaml"), text);
  return { ...(await loadConfig({ directory, environment: {} })), lines: text.split("\n").length };
}

/** As the types say, and no number that would wait forever or count backwards. */
const amount = z.number().min(0).max(Number.MAX_VALUE).optional();
const ms = z.number().min(0).max(86_400_000);
const policy = z.record(z.string().regex(/^[A-Z]\w+Error$/), z.int().min(0));
const named = z.record(z.string(), z.unknown());
const target = z.strictObject({ name: z.string().min(1), overrides: z.record(z.string(), z.json()) });
const table = z.map(z.string(), z.array(target));
const timeouts = z.strictObject({
  connectMs: ms.min(1),
  headersMs: ms.min(1),
  wholeMs: ms.min(1),
  idleMs: ms.min(1),
  silenceMs: ms.min(1),
  totalMs: ms.min(1).optional(),
});
const routerShape = z.strictObject({
  strategy: z.strictObject({ name: z.string().min(1), args: named, location: named.optional(), argLocations: z.map(z.string(), named) }),
  preCallChecks: z.boolean(),
  enforceLimits: z.boolean(),
  affinity: z.strictObject({ enabled: z.boolean(), ttlMs: z.number().min(1) }),
  tags: z.strictObject({ enabled: z.boolean(), matchAny: z.boolean() }),
  retries: z.strictObject({
    count: z.int().min(0).optional(),
    policy,
    groupPolicies: z.map(z.string(), policy),
    minDelayMs: ms,
  }),
  fallbacks: z.strictObject({ general: table, contextWindow: table.optional(), contentPolicy: table.optional(), max: z.int().min(0) }),
  cooldown: z.strictObject({ enabled: z.boolean(), ms, allowedFails: z.int().min(0).optional(), policy }),
  defaultMaxParallelRequests: z.int().min(1).optional(),
  holdMs: ms,
  streamResume: z.boolean(),
  timeouts,
  health: z.strictObject({
    background: z.boolean(),
    intervalMs: ms.min(1),
    details: z.boolean(),
    routing: z.boolean(),
    stalenessMs: z.number().min(1),
    concurrency: z.int().min(1),
    ignoreTransient: z.boolean(),
  }),
  named: z.array(z.strictObject({ name: z.string().min(1), as: z.enum(["source", "target"]), location: named, path: z.string().min(1) })),
});
const routingShape = z.strictObject({
  weight: amount,
  order: z.int().min(0).optional(),
  rpm: amount,
  tpm: amount,
  maxParallelRequests: z.int().min(1).optional(),
  budget: z.strictObject({ max: z.number().min(0), duration: z.string().optional() }).optional(),
  tags: z.array(z.string().min(1)),
  cooldownMs: ms.optional(),
  retries: z.int().min(0).optional(),
  hedgeAfterMs: z.number().gt(0).optional(),
  onDisconnect: z.enum(["abort", "drain"]).optional(),
  health: z.strictObject({
    enabled: z.boolean(),
    model: z.string().min(1).optional(),
    timeoutMs: ms.min(1).optional(),
    maxTokens: z.int().min(1).optional(),
  }),
});

const sections: Readonly<Record<string, readonly string[]>> = {
  router_settings: [routerSchemas.choiceSchema, routerSchemas.failureSchema, routerSchemas.streamSchema].flatMap(({ shape }) =>
    Object.keys(shape),
  ),
  general_settings: Object.keys(routerSchemas.healthSchema.shape),
  litellm_settings: `num_retries request_timeout fallbacks default_fallbacks context_window_fallbacks content_policy_fallbacks
    allowed_fails cooldown_time force_ipv4 ssl_verify http2`.split(/\s+/),
};
const paramKeys = [...Object.keys(routingSchemas.routingSchema.shape), ...Object.keys(routingSchemas.timeoutSchema.shape)];
const infoKeys = Object.keys(routingSchemas.healthInfoSchema.shape);
const keysOf = (keys: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(fc.constantFrom(...keys), anyValue, { maxKeys: 4 });
const anyConfig = fc.record({
  router_settings: keysOf(sections["router_settings"] ?? []),
  general_settings: keysOf(sections["general_settings"] ?? []),
  litellm_settings: keysOf(sections["litellm_settings"] ?? []),
  model_list: fc.array(
    fc.record({
      model_name: fc.constantFrom("a", "b", "group"),
      litellm_params: fc
        .tuple(keysOf([...paramKeys, "api_key", "api_keys", "organization"]), fc.constantFrom("openai/x", "a", "claude-x"))
        .map(([params, model]) => ({ ...params, model })),
      model_info: keysOf(infoKeys),
    }),
    { maxLength: 2 },
  ),
});

const registry = createRegistry(builtinPlugins);

test("settings of any kind are never thrown at, and leave a router that can be used", async () => {
  await fc.assert(
    fc.asyncProperty(anyConfig, async (config) => {
      const { draft, faults, lines } = await load(stringify(config));
      routerShape.parse(draft.router);
      for (const deployment of draft.deployments) {
        routingShape.parse(deployment.routing);
        timeouts.parse(deployment.timeouts);
      }
      const found = [...faults, ...buildRoutes(draft, registry).faults];
      for (const { line, column, path, message } of found) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(path ?? message).toMatch(/./);
      }
    }),
    { numRuns: 200 },
  );
}, 120_000);

/** What a key of one value comes to, told apart from the code that reads it: undefined where that is wrong. */
type Meaning = (value: unknown) => unknown;
const numberOf = (value: unknown): number =>
  typeof value === "string" && /^\s*-?\d+(\.\d+)?(e[+-]?\d+)?\s*$/i.test(value)
    ? Number(value)
    : typeof value === "number"
      ? value
      : Number.NaN;
const count =
  (least: number): Meaning =>
  (value) =>
    Number.isSafeInteger(numberOf(value)) && numberOf(value) >= least ? numberOf(value) : undefined;
const flag: Meaning = (value) => {
  const words = new Map<unknown, boolean>([
    ["yes", true],
    ["on", true],
    ["no", false],
    ["off", false],
  ]);
  return typeof value === "boolean" ? value : typeof value === "string" ? words.get(value.toLowerCase()) : undefined;
};
const seconds =
  (isNoneAllowed: boolean): Meaning =>
  (value) => {
    const number = numberOf(value);
    if (!(number > 0 || (isNoneAllowed && number === 0)) || number > 86_400) return undefined;
    return number === 0 ? number : Math.max(1, Math.round(number * 1000));
  };

const meanings: readonly (readonly [path: string, meaning: Meaning, valueAt: (config: LoadedConfig["draft"]) => unknown])[] = [
  ["router_settings.session_affinity", flag, ({ router }) => router.affinity.enabled],
  ["router_settings.enable_pre_call_checks", flag, ({ router }) => router.preCallChecks],
  ["router_settings.enable_tag_filtering", flag, ({ router }) => router.tags.enabled],
  ["router_settings.tag_filtering_match_any", flag, ({ router }) => router.tags.matchAny],
  ["router_settings.default_max_parallel_requests", count(1), ({ router }) => router.defaultMaxParallelRequests],
  ["router_settings.enable_health_check_routing", flag, ({ router }) => router.health.routing],
  ["router_settings.num_retries", count(0), ({ router }) => router.retries.count],
  ["router_settings.retry_after", seconds(true), ({ router }) => router.retries.minDelayMs],
  ["router_settings.max_fallbacks", count(0), ({ router }) => router.fallbacks.max],
  ["router_settings.allowed_fails", count(0), ({ router }) => router.cooldown.allowedFails],
  ["router_settings.cooldown_time", seconds(true), ({ router }) => router.cooldown.ms],
  ["router_settings.timeout", seconds(false), ({ router }) => router.timeouts.wholeMs],
  ["router_settings.stream_timeout", seconds(false), ({ router }) => router.timeouts.headersMs],
  ["router_settings.connect_timeout", seconds(false), ({ router }) => router.timeouts.connectMs],
  ["router_settings.idle_timeout", seconds(false), ({ router }) => router.timeouts.idleMs],
  ["router_settings.silence_timeout", seconds(false), ({ router }) => router.timeouts.silenceMs],
  ["router_settings.total_timeout", seconds(false), ({ router }) => router.timeouts.totalMs],
  ["router_settings.hold_seconds", seconds(true), ({ router }) => router.holdMs],
  ["router_settings.stream_resume", flag, ({ router }) => router.streamResume],
  ["litellm_settings.num_retries", count(0), ({ router }) => router.retries.count],
  ["litellm_settings.request_timeout", seconds(false), ({ router }) => router.timeouts.wholeMs],
  ["litellm_settings.allowed_fails", count(0), ({ router }) => router.cooldown.allowedFails],
  ["litellm_settings.cooldown_time", seconds(true), ({ router }) => router.cooldown.ms],
  ["litellm_settings.force_ipv4", flag, ({ connections }) => connections.forceIpv4],
  ["litellm_settings.http2", flag, ({ connections }) => connections.http2],
  ["general_settings.background_health_checks", flag, ({ router }) => router.health.background],
  ["general_settings.health_check_interval", seconds(false), ({ router }) => router.health.intervalMs],
  ["general_settings.health_check_details", flag, ({ router }) => router.health.details],
  ["general_settings.health_check_concurrency", count(1), ({ router }) => router.health.concurrency],
  ["general_settings.health_check_ignore_transient_errors", flag, ({ router }) => router.health.ignoreTransient],
];

test.each(meanings)(
  "%s is what it says, or a finding says where it is wrong",
  async (path, meaning, valueAt) => {
    const [section = "", key = ""] = path.split(".");
    await fc.assert(
      fc.asyncProperty(fc.oneof(scalar, anyValue), async (value) => {
        const written = stringify(value, { collectionStyle: "flow", defaultStringType: "QUOTE_DOUBLE", lineWidth: 0 });
        const { draft, faults } = await load(`model_list: []\n${section}:\n  ${key}: ${written}`);
        const errors = faults.filter((fault) => fault.severity === "error");
        if (value === null) {
          expect(errors).toEqual([]);
          return;
        }
        const meant = meaning(value);
        if (meant === undefined) {
          expect(errors).toEqual([expect.objectContaining({ path, line: 3 })]);
        } else {
          expect(errors).toEqual([]);
          expect(valueAt(draft)).toBe(meant);
        }
      }),
      { numRuns: 40 },
    );
  },
  60_000,
);
