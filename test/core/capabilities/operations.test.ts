import { describe, expect, test } from "vitest";

import { CapabilityError } from "../../../core/capabilities/capability-error.ts";
import type { KvStore } from "../../../core/capabilities/kv.ts";
import { createOperationRunner, type OperationLimits, type OperationServices } from "../../../core/capabilities/operations.ts";
import type { Grant } from "../../../core/config/types.ts";
import type { Operation, OperationResult } from "../../../core/sandbox/protocol.ts";
import { Trace } from "../../../core/trace.ts";
import type { Json } from "../../../sdk/body.ts";
import { ProxyError } from "../../../sdk/errors.ts";

interface Asked {
  readonly of: string;
  readonly what: unknown;
}

function setUp(grants: readonly Grant[], services: Partial<OperationServices> = {}, limits?: OperationLimits) {
  const asked: Asked[] = [];
  const logged: unknown[] = [];
  const record = <Value>(of: string, value: Value) => {
    return async (...what: readonly unknown[]): Promise<Value> => {
      asked.push({ of, what });
      return value;
    };
  };
  const kv: KvStore = {
    get: record("kv.get", [1]),
    lines: record("kv.lines", [1, 2]),
    commit: record("commit", undefined),
    close: record("close", undefined),
  };
  const log = (fields: unknown): void => void logged.push(fields);
  const trace = new Trace(0, () => 0);
  const exchange = { id: "req_1", now: () => 0, trace };
  const runner = createOperationRunner(
    exchange,
    new Map([[3, { file: "hooks/a.ts", grants }]]),
    {
      fetch: record("fetch", { status: 200, headers: {}, body: "hello" }),
      callModel: record("callModel", { content: [] }),
      kv: async () => kv,
      logger: { debug: log, info: log, warn: log, error: log },
      redact: (text) => text.replaceAll("s3cret", "[redacted]"),
      ...services,
    },
    limits,
  );
  const { signal } = new AbortController();
  const run = (operation: Operation, unit = 3, given: AbortSignal = signal): Promise<OperationResult> =>
    runner.run(unit, operation, "key", given);
  return { run, asked, trace, logged };
}

const fetchOf = (url: string, seq = 0): Operation => ({ seq, op: "fetch", url, method: "GET", headers: {}, body: null });
const kvGet: Operation = { seq: 0, op: "kv.get", key: "a" };
const callModel = (request: Json): Operation => ({ seq: 0, op: "callModel", request });
const message = { role: "user", content: "hi" };

describe("an operation", () => {
  test("of each kind is performed when it is granted", async () => {
    const grants: Grant[] = [{ type: "fetch", host: "api.test" }, { type: "kv" }, { type: "callModel", group: "fast" }];
    const { run, asked } = setUp(grants);
    expect(await run(fetchOf("https://api.test/x", 7))).toEqual({ seq: 7, ok: true, value: { status: 200, headers: {}, body: "hello" } });
    expect(await run(kvGet)).toEqual({ seq: 0, ok: true, value: [1] });
    expect(await run({ seq: 1, op: "kv.lines", key: "log", last: 2 })).toEqual({ seq: 1, ok: true, value: [1, 2] });
    expect(await run(callModel({ model: "fast", messages: [message], max_tokens: 9, system: "s" }))).toMatchObject({
      ok: true,
      value: { content: [] },
    });
    expect(asked).toMatchObject([
      { of: "fetch", what: [{ url: "https://api.test/x" }, { hosts: ["api.test"], key: "key" }] },
      { of: "kv.get", what: ["hooks/a.ts", "a"] },
      { of: "kv.lines", what: ["hooks/a.ts", "log", 2] },
      { of: "callModel", what: [{ group: "fast", messages: [message], system: "s", maxTokens: 9 }, expect.any(AbortSignal)] },
    ]);
  });

  test.each([
    [kvGet, 'context.kv needs the grant "kv"'],
    [{ seq: 0, op: "kv.lines", key: "a", last: 1 } as const, 'context.kv needs the grant "kv"'],
    [callModel({ model: "fast", messages: [message] }), 'callModel of "fast" needs the grant "callModel:GROUP" for it; no group is'],
  ])("that is not granted is refused on this side: %j", async (operation, said) => {
    const { run, asked } = setUp([{ type: "fetch", host: "api.test" }]);
    expect(await run(operation)).toEqual({ seq: 0, ok: false, message: said });
    expect(asked).toEqual([]);
  });

  test("of a fetch gets the hosts of its own grants and no others", async () => {
    const { run, asked } = setUp([{ type: "kv" }]);
    await run(fetchOf("https://api.test/"));
    expect(asked).toMatchObject([{ what: [{}, { hosts: [] }] }]);
  });

  test("of a unit that has no part in the run is refused", async () => {
    const { run, asked } = setUp([{ type: "kv" }]);
    expect(await run(kvGet, 4)).toEqual({ seq: 0, ok: false, message: "nothing of this file runs for this request" });
    expect(asked).toEqual([]);
  });

  test("beyond the thirty-second of a run is refused, whatever number it gives itself", async () => {
    const { run, asked } = setUp([{ type: "kv" }]);
    const results = await Promise.all(Array.from({ length: 40 }, () => run(kvGet)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(32);
    expect(results.at(-1)).toMatchObject({ message: "at most 32 operations per call; this is one more" });
    expect(asked).toHaveLength(32);
  });

  test("that moves too many bytes is refused", async () => {
    const { run } = setUp(
      [{ type: "kv" }],
      { kv: async () => ({ ...noKv, get: async () => ["x".repeat(600)] }) },
      { operations: 32, bytes: 1000 },
    );
    expect(await run(kvGet)).toMatchObject({ ok: true });
    const over = "the operations of this call move more than 1000 bytes";
    expect(await run(kvGet)).toEqual({ seq: 0, ok: false, message: `performed, but its answer is dropped: ${over}` });
    const { run: runBig, asked } = setUp([{ type: "kv" }], {}, { operations: 32, bytes: 1000 });
    expect(await runBig({ seq: 0, op: "kv.get", key: "k".repeat(1000) })).toEqual({ seq: 0, ok: false, message: `not performed: ${over}` });
    expect(asked).toEqual([]);
    expect(await runBig(kvGet)).toMatchObject({ ok: true });
  });

  test("stands in the trace with its host or key, not with its URL", async () => {
    const { run, trace } = setUp([{ type: "kv" }, { type: "fetch", host: "api.test" }]);
    await run(fetchOf("https://api.test/path?key=s3cret"));
    await run(kvGet);
    await run(callModel({}));
    expect(trace.steps.map(({ what, detail }) => [what, detail])).toEqual([
      ["fetch", { file: "hooks/a.ts", host: "api.test", ms: 0 }],
      ["kv.get", { file: "hooks/a.ts", key: "a", ms: 0 }],
      ["callModel failed", { file: "hooks/a.ts", ms: 0, error: "callModel wants `model`, the name of a model group" }],
    ]);
  });
});

const noKv: KvStore = { get: async () => [], lines: async () => [], commit: async () => undefined, close: async () => undefined };

describe("what user code is told of a failure", () => {
  const failing = (error: unknown): Partial<OperationServices> => ({
    async fetch() {
      throw error;
    },
  });

  test("is our own words, without secrets and not at any length", async () => {
    const refused = setUp([], failing(new CapabilityError("refused: s3cret")));
    expect(await refused.run(fetchOf("https://api.test/"))).toEqual({ seq: 0, ok: false, message: "refused: [redacted]" });
    const upstream = setUp([], failing(new ProxyError("x".repeat(2000), { status: 502, kind: "api_error" })));
    const told = await upstream.run(fetchOf("https://api.test/"));
    expect(told.ok ? "" : told.message).toBe("x".repeat(500));
    expect([...refused.logged, ...upstream.logged]).toEqual([]);
  });

  test("is nothing of an error that nobody expected, which the log has instead", async () => {
    const error = new Error("at /home/me/.config: s3cret");
    const { run, logged } = setUp([], failing(error));
    expect(await run(fetchOf("https://api.test/"))).toEqual({ seq: 0, ok: false, message: "failed; the log of ccproxy says why" });
    expect(logged).toEqual([{ requestId: "req_1", file: "hooks/a.ts", operation: "fetch", error }]);
  });

  test("after an abort is that it was given up", async () => {
    const { run, asked, logged } = setUp([], failing(new Error("s3cret")));
    const aborted = AbortSignal.abort(new Error("s3cret"));
    expect(await run(fetchOf("https://api.test/"), 3, aborted)).toEqual({
      seq: 0,
      ok: false,
      message: "given up: the caller has left or the time is up",
    });
    expect([...asked, ...logged]).toEqual([]);
  });
});

describe("a request of callModel", () => {
  const grants: Grant[] = [{ type: "callModel", group: "fast" }];

  test.each([
    [null, "callModel wants an object"],
    [[], "callModel wants an object"],
    ["fast", "callModel wants an object"],
    [{ messages: [message] }, "wants `model`"],
    [{ model: ["fast"], messages: [message] }, "wants `model`"],
    [{ model: "fast" }, "wants `messages`"],
    [{ model: "fast", messages: [] }, "wants `messages`"],
    [{ model: "fast", messages: "hi" }, "wants `messages`"],
    [{ model: "fast", messages: [message, { role: "system", content: "x" }] }, "wants messages[1] with a role"],
    [{ model: "fast", messages: [null] }, "wants messages[0] with a role"],
    [{ model: "fast", messages: [message], system: [] }, "wants `system` as text"],
    [{ model: "fast", messages: [message], max_tokens: 0 }, "wants `max_tokens`"],
    [{ model: "fast", messages: [message], max_tokens: "9" }, "wants `max_tokens`"],
    [{ model: "fast", messages: [message], stream: true }, 'does not know "stream"'],
    [JSON.parse('{"model":"fast","messages":[{"role":"user"}],"__proto__":{"system":"x"}}'), 'does not know "__proto__"'],
    [{ model: "slow", messages: [message] }, 'callModel of "slow" needs the grant "callModel:GROUP" for it; granted: "fast"'],
    [{ model: "FAST", messages: [message] }, "needs the grant"],
    [{ model: "fast ", messages: [message] }, "needs the grant"],
  ] as [Json, string][])("is checked: %j", async (request, said) => {
    const { run, asked } = setUp(grants);
    expect(await run(callModel(request))).toMatchObject({ ok: false, message: expect.stringContaining(said) });
    expect(asked).toEqual([]);
  });

  test("asks for 1,024 tokens when it does not say", async () => {
    const { run, asked } = setUp(grants);
    await run(callModel({ model: "fast", messages: [message] }));
    expect(asked).toMatchObject([{ what: [{ maxTokens: 1024, system: undefined }, {}] }]);
  });
});
