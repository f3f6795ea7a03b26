import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { moduleOf, startHost, type TestHost } from "../../helpers/hook-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.close();
});

const body = { model: "claude-x", messages: [{ role: "user", content: "hello" }], max_tokens: 10 };

describe("rules", () => {
  it("a rule that matches gives its verdict", async () => {
    const [manifest] = await host.load([{ code: moduleOf(`defineRule((request) => request.model === "claude-x")`) }]);
    expect(manifest).toMatchObject({ unit: 0, defined: "rule", phases: ["rule"] });
    expect(await host.outcome({ body })).toMatchObject({ unit: 0, verdict: true });
  });

  it("rules are asked until one matches", async () => {
    await host.load([
      { code: moduleOf(`defineRule(() => false)`) },
      { code: moduleOf(`defineRule(() => "vip")`) },
      { code: moduleOf(`defineRule(() => true)`) },
    ]);
    const outcomes = await host.outcomes({ body, units: [0, 1, 2] });
    expect(outcomes.map(({ unit, verdict }) => [unit, verdict])).toEqual([
      [0, undefined],
      [1, "vip"],
    ]);
  });
});

describe("hooks", () => {
  it("a changed field comes back as a patch", async () => {
    await host.load([{ kind: "hook", code: moduleOf(`defineHook({ preCall(request) { request.max_tokens = 5; } })`) }]);
    const outcome = await host.outcome({ phase: "preCall", body });
    expect(outcome).toMatchObject({ unit: 0, patch: { o: { max_tokens: { v: "5" } } } });
  });

  it("a run that asks for an operation goes on with its result", async () => {
    const grants = { fetch: true, callModel: false, kv: false, replyTools: false };
    await host.load([
      {
        kind: "hook",
        grants,
        code: moduleOf(
          `defineHook({ async preCall(request, context) { const reply = await context.fetch("https://a.example/x"); request.model = reply.json().model; } })`,
        ),
      },
    ]);
    const asked = await host.call({ id: 900, phase: "preCall", body });
    expect(asked).toMatchObject({
      type: "operations",
      unit: 0,
      operations: [{ seq: 0, op: "fetch", url: "https://a.example/x", method: "GET", body: null }],
    });
    const done = await host.resume(900, [{ seq: 0, ok: true, value: { status: 200, headers: {}, body: '{"model":"other"}' } }]);
    expect(done).toMatchObject({ type: "done", outcomes: [{ unit: 0, patch: { o: { model: { v: '"other"' } } } }] });
  });
});
