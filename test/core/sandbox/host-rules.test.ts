import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { moduleOf, startHost, type TestHost } from "../../helpers/hook-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.close();
});

const body = {
  model: "claude-x",
  messages: [
    { role: "user", content: "hello" },
    { role: "assistant", content: "hi" },
  ],
  max_tokens: 10,
};
const rule = (expression: string) => ({ code: moduleOf(`defineRule(${expression})`) });
const verdicts = async (units: readonly number[]) => (await host.outcomes({ body, units })).map(({ unit, verdict }) => [unit, verdict]);

describe("a rule", () => {
  it("that matches gives its verdict", async () => {
    const [manifest] = await host.load([rule(`(request) => request.model === "claude-x"`)]);
    expect(manifest).toMatchObject({ unit: 0, defined: "rule", phases: ["rule"], required: false, buffer: false });
    expect(await host.outcome({ body })).toMatchObject({ unit: 0, verdict: true });
  });

  it("sees facts, parameters, headers and the rest of the context", async () => {
    const seen = `(request, params, context) => JSON.stringify([params.limit, context.params.limit, context.facts.toolNames, context.session, context.headers.get("User-Agent"),
      context.requestId, context.phase, context.operation, context.now, context.label, context.target])`;
    await host.load([{ ...rule(seen), params: { positional: [], named: { limit: 7 } } }]);
    const { verdict } = await host.outcome({ body });
    const context = [7, 7, ["Bash", "Read"], "session-1", "test/1", "req_1", "rule", "generate", 1_700_000_000_000, null, null];
    expect(JSON.parse(String(verdict))).toEqual(context);
  });

  it.each([
    ["a function", `(request, params) => request.model === params.model`],
    ["an arrow in an object", `{ evaluate: (request, params) => request.model === params.model }`],
    [
      "a class that is given its parameters once",
      `class { constructor({ model }) { this.model = model; } evaluate(request) { return request.model === this.model; } }`,
    ],
    [
      "an older kind of class",
      `(() => { function Rule({ model }) { this.model = model; } Rule.prototype.evaluate = function (request) { return request.model === this.model; }; return Rule; })()`,
    ],
    ["an instance", `new (class { evaluate(request, params) { return request.model === params.model; } })()`],
  ])("may be %s", async (_, expression) => {
    const [manifest] = await host.load([{ code: moduleOf(expression), params: { positional: [], named: { model: "claude-x" } } }]);
    expect(manifest).toMatchObject({ phases: ["rule"] });
    expect(manifest?.defined).toBeUndefined();
    expect(await host.outcome({ body })).toMatchObject({ verdict: true });
  });

  it("as a class gets a list of parameters as arguments", async () => {
    await host.load([
      {
        code: moduleOf(`class { constructor(...all) { this.all = all; } evaluate() { return this.all.join("-"); } }`),
        params: { positional: ["a", 2], named: {} },
      },
    ]);
    expect(await host.outcome({ body })).toMatchObject({ verdict: "a-2" });
  });

  it("as a class without parameters gets no arguments", async () => {
    await host.load([
      { code: moduleOf(`class { constructor(limit = 5) { this.limit = limit; } evaluate() { return String(this.limit); } }`) },
    ]);
    expect(await host.outcome({ body })).toMatchObject({ verdict: "5" });
  });

  it("has its parameters read by the definition when it is loaded", async () => {
    const definition = `defineRule({ params: (raw) => ({ limit: raw.limit ?? 3 }), evaluate: (request, params) => String(params.limit) })`;
    await host.load([{ code: moduleOf(definition) }, { code: moduleOf(definition), params: { positional: [], named: { limit: 9 } } }]);
    expect(await host.outcome({ body, units: [0] })).toMatchObject({ verdict: "3" });
    expect(await host.outcome({ body, units: [1] })).toMatchObject({ verdict: "9" });
  });

  it("that returns what is no verdict is told so", async () => {
    await host.load([rule(`() => 3`)]);
    expect(await host.outcome({ body })).toMatchObject({
      error: { kind: "invalid", message: "the rule returned a number (3); wanted true, false, a label or null" },
    });
  });

  it.each([`null`, `undefined`, `false`, `""`])("that returns %s does not match", async (value) => {
    await host.load([rule(`() => ${value}`)]);
    const outcome = await host.outcome({ body });
    expect(outcome.verdict).toBeUndefined();
    expect(outcome.error).toBeUndefined();
  });

  it("that is asynchronous is awaited", async () => {
    await host.load([rule(`async () => { await null; await null; return "later"; }`)]);
    expect(await host.outcome({ body })).toMatchObject({ verdict: "later" });
  });

  it("keeps the state of its module from call to call", async () => {
    await host.load([{ code: moduleOf(`(() => { let count = 0; return defineRule(() => String(++count)); })()`) }]);
    await host.outcome({ body });
    expect(await host.outcome({ body })).toMatchObject({ verdict: "2" });
  });
});

describe("several rules", () => {
  it("are asked until one matches, without a word between them", async () => {
    await host.load([rule(`() => false`), rule(`() => "vip"`), rule(`() => true`)]);
    const before = host.received.length;
    expect(await verdicts([0, 1, 2])).toEqual([
      [0, undefined],
      [1, "vip"],
    ]);
    expect(host.received.slice(before).map(({ type }) => type)).toEqual(["done"]);
  });

  it("are asked in the order of the call", async () => {
    await host.load([rule(`() => "a"`), rule(`() => "b"`)]);
    expect(await verdicts([1, 0])).toEqual([[1, "b"]]);
  });

  it("go on behind one that throws, one that loops and one that waits for ever", async () => {
    await host.load([
      rule(`() => { throw new Error("no"); }`),
      rule(`() => { for (;;); }`),
      rule(`() => new Promise(() => {})`),
      rule(`async () => { await null; return "last"; }`),
    ]);
    const outcomes = await host.outcomes({ body, units: [0, 1, 2, 3], sliceMs: 30 });
    expect(outcomes.map(({ error, verdict }) => error?.kind ?? verdict)).toEqual(["threw", "timeout", "deadlock", "last"]);
  });

  it("say which one is at work before each that runs by itself", async () => {
    await host.load([rule(`() => false`), rule(`() => { for (;;); }`), rule(`() => "last"`)]);
    const before = host.received.length;
    const outcomes = await host.outcomes({ body, units: [0, 1, 2], sliceMs: 30 });
    expect(outcomes.map(({ error, verdict }) => error?.kind ?? verdict)).toEqual([undefined, "timeout", "last"]);
    const progress = host.received.slice(before).flatMap((message) => (message.type === "progress" ? [message.unit] : []));
    // On a busy machine one of them may begin again.
    expect([...new Set(progress)]).toEqual([1, 2]);
  });

  it("have separate globals and intrinsics", async () => {
    await host.load([
      rule(
        `() => { globalThis.shared = 1; try { Object.prototype.leak = 1; } catch {} try { Array.prototype.push = () => {}; } catch {} return false; }`,
      ),
      rule(`() => JSON.stringify([typeof shared, typeof ({}).leak, [].push.length])`),
    ]);
    expect(await verdicts([0, 1])).toEqual([
      [0, undefined],
      [1, '["undefined","undefined",1]'],
    ]);
  });

  it("ask for what one of them needs, and are asked again with it", async () => {
    await host.load([rule(`() => false`), rule(`(request) => request.messages.at(-1).content`)]);
    const need = await host.call({ body, units: [0, 1], parts: [] });
    expect(need).toMatchObject({ type: "need", unit: 1, parts: [["messages", 1]] });
    const outcomes = await host.outcomes({ body, units: [0, 1], parts: [["messages", 1]] });
    expect(outcomes.at(-1)).toMatchObject({ unit: 1, verdict: "hi" });
  });

  it("each get their own stores", async () => {
    const counting = `(request, params, context) => { context.state.set("n", (context.state.get("n") ?? 0) + 1); return context.state.get("n") > 5 ? String(context.state.get("n")) : false; }`;
    await host.load([rule(counting), rule(counting)]);
    const outcomes = await host.outcomes({ body, units: [0, 1], stores: { 1: { state: { n: 8 }, locals: {} } } });
    expect(outcomes.map(({ writes, verdict }) => [writes?.state, verdict])).toEqual([
      [{ n: 1 }, undefined],
      [{ n: 9 }, "9"],
    ]);
  });
});
