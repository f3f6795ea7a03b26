import { describe, expect, it } from "vitest";
import { Exchange } from "../../../core/exchange.ts";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { partsOf } from "../../../core/phases/body-parts.ts";
import { createFailureLog } from "../../../core/phases/failure-log.ts";
import { HookRefusal } from "../../../core/phases/hook-refusal.ts";
import type { PhaseServices } from "../../../core/phases/phase-services.ts";
import { RefusedResult } from "../../../core/phases/refused-result.ts";
import { type PhaseRun, runPhase } from "../../../core/phases/run-phase.ts";
import type { LoadedUnit, UserProgram } from "../../../core/phases/user-program.ts";
import { createRegistry } from "../../../core/registry.ts";
import type { UnitOutcome, Writes } from "../../../core/sandbox/protocol.ts";
import type { PhaseCall, PhaseOutcome } from "../../../core/sandbox/sandbox.ts";
import { buildSnapshot, withoutUserCode } from "../../../core/snapshot.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import { loadedConfig } from "../../helpers/config.ts";
import { keepLog } from "../../helpers/keep-log.ts";
import { loadedUnit } from "../../helpers/units.ts";

async function createExchange(): Promise<Exchange> {
  const registry = createRegistry(builtinPlugins);
  const { snapshot } = await buildSnapshot(loadedConfig(), { registry, loadUserProgram: withoutUserCode }, 1, new Date());
  const { hub: ingress } = registry;
  if (snapshot === undefined) throw new Error("there is no snapshot");
  const headers = {
    get: () => undefined,
    endToEnd: [
      ["user-agent", "a client"],
      ["x-vault-token", "a secret"],
      ["ocp-apim-subscription-key", "another"],
    ] as const,
  };
  const exchange = new Exchange({
    snapshot,
    ingress,
    operation: "generate",
    path: "/",
    search: "",
    headers,
    project: undefined,
    now: () => 0,
  });
  exchange.receive(createRequestBody(Buffer.from('{"model":"m","messages":[]}')));
  return exchange;
}

/** Answers each call of the sandbox with what the test says; what came of it is kept. */
function setUp(units: readonly LoadedUnit[], answers: readonly (readonly Omit<PhaseOutcome, "us">[])[]) {
  const calls: PhaseCall[] = [];
  const written: { readonly unit: number; readonly writes: Writes }[] = [];
  const log = keepLog();
  let time = 0;
  const program: UserProgram = {
    units,
    hooks: () => units,
    retain: () => () => undefined,
    program: {
      manifests: [],
      async run(call) {
        calls.push(call);
        return (answers[calls.length - 1] ?? []).map((outcome) => ({ us: 7, ...outcome }));
      },
      openStream: () => {
        throw new Error("not asked for");
      },
      quarantined: () => undefined,
      release: () => undefined,
    },
  };
  const services: PhaseServices = {
    logger: log.logger,
    capabilities: {
      stores: (_, { index }) => ({ state: { index }, locals: {} }),
      operations: () => ({ run: () => Promise.reject(new Error("not asked for")) }),
      commit: (_, { index }, writes) => void written.push({ unit: index, writes }),
    },
    redact: (text) => text,
    failures: createFailureLog(
      log.logger,
      ({ source }, { name, message, stack }) => ({
        message: `${name}: ${message}`,
        position: { file: source.file, line: 5, column: 12 },
        stack,
        frame: "  5 | boom()",
      }),
      () => time,
    ),
    wallClock: () => 1_700_000_000_000,
  };
  const run = (exchange: Exchange, more: Partial<PhaseRun> = {}): ReturnType<typeof runPhase> =>
    runPhase(exchange, services, { program, phase: "preCall", units, ...more });
  return { calls, written, log, run, pass: (ms: number) => void (time += ms) };
}

const threw: UnitOutcome["error"] = { kind: "threw", name: "TypeError", message: "x is not a function", stack: "TypeError: x\n at a" };
const rename = { o: { model: { v: '"n"' } } };
const first = loadedUnit({ index: 0, source: { file: "hooks/first.ts" } });
const second = loadedUnit({ index: 1, source: { file: "hooks/second.ts" } });
const rule = loadedUnit({ index: 2, source: { file: "rules/vip.ts", kind: "rule" }, label: "vip", manifest: { phases: ["rule"] } });

describe("a run of user code", () => {
  it("is told the facts, the headers without credentials, and its stores", async () => {
    const { calls, run } = setUp([first, second], [[{ unit: 0 }, { unit: 1 }]]);
    const exchange = await createExchange();
    expect(await run(exchange)).toMatchObject({ by: undefined, rest: [] });
    expect(calls[0]?.units).toEqual([0, 1]);
    expect(calls[0]?.context).toMatchObject({
      requestId: exchange.id,
      operation: "generate",
      now: 1_700_000_000_000,
      facts: { model: "m", stream: false, messageCount: 0, toolNames: [], hasImage: false },
      headers: [["user-agent", "a client"]],
    });
    expect(calls[0]?.context).not.toHaveProperty("label");
    expect(calls[0]?.stores(1)).toEqual({ state: { index: 1 }, locals: {} });
  });

  it("that sees the request fetches the facts that cost a walk over it, when it reads them", async () => {
    const { calls, run } = setUp([first], [[{ unit: 0 }]]);
    const exchange = await createExchange();
    await run(exchange, { body: partsOf(exchange.request, exchange.facts) });
    expect(Object.keys(calls[0]?.context.facts ?? {})).not.toEqual(expect.arrayContaining(["usedToolNames"]));
    expect(calls[0]?.context.facts).not.toHaveProperty("hasImage");
    const part = (name: string): unknown => calls[0]?.body?.part([name, -2])?.toString();
    expect(["hasImage", "toolNames", "usedToolNames", "model"].map(part)).toEqual(["false", "[]", "[]", undefined]);
  });

  it("ends with the first unit that changed something, and says who is left", async () => {
    const { run } = setUp([first, second], [[{ unit: 0, patch: rename }]]);
    const result = await run(await createExchange(), { accept: () => ["model"] });
    expect(result).toMatchObject({ by: first, patch: rename, rest: [second] });
  });

  it("takes the label of a rule for true, and a text for itself", async () => {
    for (const [verdict, label] of [
      [true, "vip"],
      ["other", "other"],
    ] as const) {
      const { run } = setUp([rule], [[{ unit: 2, verdict }]]);
      expect(await run(await createExchange(), { phase: "rule" })).toMatchObject({ by: rule, label });
    }
    const { run } = setUp([rule], [[{ unit: 2, verdict: "" }]]);
    expect(await run(await createExchange(), { phase: "rule" })).toMatchObject({ by: undefined, label: undefined });
  });

  it("goes on when the sandbox has run only some of the units", async () => {
    const { run, calls } = setUp([first, second], [[{ unit: 0 }], [{ unit: 1, patch: rename }]]);
    expect(await run(await createExchange(), { accept: () => ["model"] })).toMatchObject({ by: second, rest: [] });
    expect(calls.map(({ units }) => units)).toEqual([[0, 1], [1]]);
  });

  it("ends with the reason of the exchange's signal", async () => {
    const { run, calls } = setUp([first], [[{ unit: 0 }]]);
    const exchange = await createExchange();
    exchange.abort(new Error("the client has left"));
    await expect(run(exchange)).rejects.toThrow("the client has left");
    expect(calls).toEqual([]);
  });
});

describe("what a unit writes", () => {
  it("takes effect once, together with its result", async () => {
    const writes: Writes = { state: { a: 1 }, annotations: { tenant: "acme" }, logs: [{ level: "info", text: "hello" }] };
    const { run, written } = setUp([first], [[{ unit: 0, patch: rename, writes }]]);
    const exchange = await createExchange();
    await run(exchange, { accept: () => ["model"] });
    expect(written).toEqual([{ unit: 0, writes }]);
    expect(Object.fromEntries(exchange.annotations)).toEqual({ tenant: "acme" });
    expect(exchange.trace.steps).toMatchObject([
      {
        stage: "hooks",
        what: "changed",
        detail: { file: "hooks/first.ts", phase: "preCall", us: 7, changed: ["model"], annotations: { tenant: "acme" } },
      },
    ]);
  });

  it("takes no effect when it failed, but for what it logged", async () => {
    const writes: Writes = { state: { a: 1 }, annotations: { tenant: "acme" }, logs: [{ level: "info", text: "hello" }] };
    const { run, written } = setUp([first], [[{ unit: 0, error: threw, writes }]]);
    const exchange = await createExchange();
    await run(exchange);
    expect(written).toEqual([{ unit: 0, writes: { logs: writes.logs } }]);
    expect(exchange.annotations.size).toBe(0);
  });

  it("takes no effect when its result cannot be taken: the unit has failed, and the next one is run", async () => {
    const { run, written, log } = setUp(
      [first, second],
      [[{ unit: 0, patch: rename, writes: { state: { a: 1 } } }], [{ unit: 1, patch: rename }]],
    );
    const exchange = await createExchange();
    let offered = 0;
    const accept = (): readonly string[] => {
      if (++offered === 1) throw new RefusedResult("is no number", "max_tokens");
      return ["model"];
    };
    expect(await run(exchange, { accept })).toMatchObject({ by: second });
    expect(written).toEqual([]);
    expect(log.lines).toMatchObject([
      {
        level: "warn",
        fields: {
          reason: "hooks/first.ts returned what cannot be taken: max_tokens: is no number",
          policy: "the request went on without it",
        },
      },
    ]);
  });
});

describe("a unit that fails", () => {
  it("is skipped by default: log and trace say which line of the user's it was", async () => {
    const { run, log } = setUp([first, second], [[{ unit: 0, error: threw }, { unit: 1 }]]);
    const exchange = await createExchange();
    await run(exchange);
    expect(log.lines).toEqual([
      {
        level: "warn",
        message: expect.stringContaining("a hook failed"),
        fields: {
          requestId: exchange.id,
          file: "hooks/first.ts",
          phase: "preCall",
          reason: "hooks/first.ts threw an error at hooks/first.ts:5:12: TypeError: x is not a function",
          policy: "the request went on without it",
          position: "hooks/first.ts:5:12",
          stack: threw.stack,
          frame: "  5 | boom()",
        },
      },
    ]);
    expect(exchange.trace.steps).toMatchObject([
      { what: "failed, skipped", detail: { file: "hooks/first.ts", policy: "skip", error: expect.stringContaining("TypeError") } },
      { what: "unchanged", detail: { file: "hooks/second.ts" } },
    ]);
  });

  it("is told of once in a while, with the number of those that were not", async () => {
    const { run, log, pass } = setUp(
      [first],
      Array.from({ length: 5 }, () => [{ unit: 0, error: threw }]),
    );
    const exchange = await createExchange();
    for (let time = 0; time < 4; time++) await run(exchange);
    pass(10_001);
    await run(exchange);
    expect(log.lines.map(({ fields }) => fields["moreSince"])).toEqual([undefined, 3]);
  });

  it("refuses the request where its policy says deny, without a word from inside", async () => {
    const required = loadedUnit({ index: 0, source: { file: "hooks/redact.ts" }, required: true, onError: "deny" });
    const { run, log, written } = setUp(
      [required, second],
      [
        [
          { unit: 0, error: threw },
          { unit: 1, writes: { state: { a: 1 } } },
        ],
      ],
    );
    const exchange = await createExchange();
    const refusal = await run(exchange).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HookRefusal);
    expect(refusal).toMatchObject({ status: 503, headers: { "x-should-retry": "false" } });
    expect(String(refusal)).toContain("hooks/redact.ts threw an error at hooks/redact.ts:5:12. It is required");
    expect(String(refusal)).not.toContain("x is not a function");
    expect(log.lines).toMatchObject([{ level: "error", fields: { policy: "the request was refused" } }]);
    expect(written).toEqual([]);
  });

  it.each([
    ["killed", "was killed"],
    ["crashed", "brought its process down"],
    ["timeout", "took longer"],
    ["quarantined", "is out of use until its file changes"],
    ["unavailable", "no process for user code"],
  ] as const)("because it was %s is refused in the same way, and says so", async (lost, said) => {
    const required = loadedUnit({ index: 0, required: true, onError: "deny" });
    const { run } = setUp([required], [[{ unit: 0, lost }]]);
    await expect(run(await createExchange())).rejects.toThrow(said);
  });

  it("has nothing to refuse where it only looks on", async () => {
    const required = loadedUnit({ index: 0, required: true, onError: "deny" });
    const { run, log } = setUp([required], [[{ unit: 0, error: threw }]]);
    await run(await createExchange(), { phase: "onComplete", observesOnly: true });
    expect(log.lines).toMatchObject([{ level: "warn" }]);
  });

  it("is no match when it is a rule, and the next one is asked", async () => {
    const next = loadedUnit({ index: 3, label: "next", source: { kind: "rule", file: "rules/next.ts" } });
    const { run, log } = setUp(
      [rule, next],
      [
        [
          { unit: 2, lost: "timeout" },
          { unit: 3, verdict: true },
        ],
      ],
    );
    expect(await run(await createExchange(), { phase: "rule" })).toMatchObject({ by: next, label: "next" });
    expect(log.lines).toMatchObject([{ message: expect.stringContaining("a rule failed"), fields: { policy: "taken as no match" } }]);
  });
});
