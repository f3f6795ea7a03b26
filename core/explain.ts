/** Tries out what the configuration would do with a request: hooks, rules and router run, no model is called, nothing is kept. */

import { performance } from "node:perf_hooks";

import type { Json } from "../sdk/body.ts";
import { ProxyError } from "../sdk/errors.ts";
import type { Logger } from "../sdk/log.ts";
import { createRequestBody } from "./body/request-body.ts";
import { createRedactor } from "./log/redact.ts";
import { Exchange } from "./exchange.ts";
import { explainTrace, type ExplainedTrace } from "./explain-trace.ts";
import { createFailureLog, type MapError } from "./phases/failure-log.ts";
import type { Capabilities } from "./phases/phase-services.ts";
import { createChooser } from "./routing/chooser.ts";
import { createMemoryRoutingStore } from "./routing/memory-store.ts";
import { type PrepareServices, prepareAttempt } from "./phases/prepare-attempt.ts";
import { unitName } from "./phases/user-program.ts";
import type { Registry } from "./registry.ts";
import type { UnitStores, Writes } from "./sandbox/protocol.ts";
import type { Snapshot } from "./snapshot.ts";
import { decide, type PolicyServices } from "./stages/policy.ts";
import { lacksOperation } from "./translation/encode-attempt.ts";
import { createTokenService } from "./tokens/token-service.ts";

export type ExplainedOutcome =
  | { readonly type: "sent"; readonly url: string }
  /** By a hook, or by a deployment with `mock_response`. */
  | { readonly type: "answered"; readonly by: "hook" | "deployment" }
  | { readonly type: "refused"; readonly status: number; readonly message: string };

export interface Explanation extends ExplainedTrace {
  readonly model: string;
  readonly bytes: number;
  readonly messages: number;
  readonly label: string | null;
  readonly labelledBy: string | null;
  readonly target: { readonly group: string; readonly deployment: string; readonly model: string; readonly provider: string } | null;
  readonly outcome: ExplainedOutcome;
  readonly logs: readonly { readonly file: string; readonly level: string; readonly text: string }[];
}

export interface ExplainOptions {
  readonly snapshot: Snapshot;
  readonly registry: Registry;
  readonly mapError: MapError;
  readonly logger: Logger;
}

/**
 * @param bytes body of a request as clients send it
 * @throws ProxyError when it is no JSON object
 */
export async function explainRequest(bytes: Uint8Array, { snapshot, registry, mapError, logger }: ExplainOptions): Promise<Explanation> {
  const now = (): number => performance.now();
  const exchange = new Exchange({
    // Patches are needed to say what changed.
    snapshot: { ...snapshot, config: { ...snapshot.config, record: true } },
    ingress: registry.hub,
    operation: "generate",
    path: "/v1/messages",
    search: "",
    headers: { get: () => undefined, endToEnd: [["content-type", "application/json"]] },
    project: undefined,
    now,
  });
  const wallClock = (): number => Date.now();
  const tokens = createTokenService();
  const trial = createTrial();
  const services: PolicyServices & PrepareServices = {
    registry,
    logger,
    capabilities: trial.capabilities,
    // Nothing is known of the deployments: as right after a start.
    chooser: createChooser({ store: createMemoryRoutingStore({ now, wallClock }), random: Math.random, wallClock }),
    failures: createFailureLog(logger, mapError, now),
    wallClock,
    redact: createRedactor(snapshot.config.secrets),
    counterFor: (body) => tokens.counterFor(body),
    countTokens: (each) => tokens.counterFor(each.request).count("all"),
    projectRules: async () => undefined,
  };
  try {
    exchange.receive(createRequestBody(bytes));
    exchange.trace.received = exchange.request;
    const { model, messageCount } = exchange.facts;
    const outcome = await tryOut(exchange, services);
    const { target } = exchange;
    return {
      model,
      bytes: bytes.length,
      messages: messageCount,
      label: exchange.label ?? null,
      labelledBy: exchange.labelledBy ?? null,
      target:
        target === undefined
          ? null
          : {
              group: target.group,
              deployment: target.deployment.deploymentId,
              model: target.model,
              provider: target.deployment.providerName,
            },
      outcome,
      logs: trial.logs,
      ...explainTrace(exchange.trace),
    };
  } finally {
    // The program is let go.
    exchange.settle({
      outcome: "completed",
      status: 200,
      summary: undefined,
      bytes: 0,
      firstByteMs: undefined,
      totalMs: 0,
      error: undefined,
    });
    await tokens.close();
  }
}

async function tryOut(exchange: Exchange, services: PolicyServices & PrepareServices): Promise<ExplainedOutcome> {
  try {
    if ((await decide(exchange, services)) !== undefined) return { type: "answered", by: "hook" };
    const { target } = exchange;
    if (target === undefined) throw new Error("the router planned nothing");
    const attempt = await prepareAttempt(exchange, services, target);
    if (attempt.type === "sending") return { type: "sent", url: attempt.sending.outbound.url };
    if (attempt.type === "lacking") throw lacksOperation(exchange, target.deployment);
    return { type: "answered", by: attempt.type === "answered" ? "hook" : "deployment" };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { type: "refused", status: error.status, message: error.message };
  }
}

/** Everything empty at the beginning, and nothing outside is touched. */
function createTrial(): { readonly capabilities: Capabilities; readonly logs: Explanation["logs"] } {
  const stores = new Map<string, UnitStores>();
  const logs: { file: string; level: string; text: string }[] = [];
  const capabilities: Capabilities = {
    stores: (_exchange, { source }) => stores.get(source.file),
    operations: () => ({
      async run(_unit, operation) {
        const { seq, op } = operation;
        if (op === "kv.get" || op === "kv.lines") return { seq, ok: true, value: [] };
        return { seq, ok: false, message: `explain asks nothing outside, so ${op} gave no answer` };
      },
    }),
    commit(_exchange, unit, writes) {
      for (const { level, text } of writes.logs ?? []) logs.push({ file: unitName(unit), level, text });
      stores.set(unit.source.file, written(stores.get(unit.source.file), writes));
    },
  };
  return { capabilities, logs };
}

function written(before: UnitStores | undefined, { state, locals }: Writes): UnitStores {
  return { state: merge(before?.state, state), locals: merge(before?.locals, locals) };
}

function merge(before: UnitStores["state"] = {}, writes: Readonly<Record<string, Json | null>> = {}): UnitStores["state"] {
  return Object.fromEntries(Object.entries({ ...before, ...writes }).filter(([, value]) => value !== null));
}
