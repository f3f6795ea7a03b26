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
const preCall = (statements: string) =>
  ({ kind: "hook", file: "hooks/mine.ts", code: moduleOf(`defineHook({ preCall(request, context) { ${statements} } })`) }) as const;
const run = async (statements: string, options: object = {}) => {
  await host.load([preCall(statements)]);
  return host.outcome({ phase: "preCall", body, ...options });
};
/** The host answers, and the isolate works as before. */
const expectHealth = async () => {
  await host.load([preCall(`request.max_tokens = 1;`)]);
  expect(await host.outcome({ phase: "preCall", body })).toMatchObject({ patch: { o: { max_tokens: { v: "1" } } } });
};

describe("whatever is thrown", () => {
  it.each([
    ["an error", `throw new TypeError("bad");`, { name: "TypeError", message: "bad" }],
    ["null", `throw null;`, { name: "Error", message: "threw null" }],
    ["nothing", `throw undefined;`, { message: "threw undefined" }],
    ["a text", `throw "text";`, { message: "threw text" }],
    ["a symbol", `throw Symbol("s");`, { message: "threw Symbol(s)" }],
    ["a bigint", `throw 10n;`, { message: "threw 10" }],
    ["a bigint that takes minutes to print", `throw 2n ** (2n ** 24n);`, { message: "threw a large bigint" }],
    [
      "a proxy that throws",
      `throw new Proxy({}, { get() { throw new Error("trap"); } });`,
      { message: "threw an object without a message" },
    ],
    [
      "an error with a getter that throws",
      `throw { get message() { throw 1; }, get stack() { throw 2; }, name: 3 };`,
      { name: "Error", message: "threw an object without a message" },
    ],
    ["an object without a prototype", `throw Object.create(null);`, { message: "threw an object without a message" }],
    ["an error that causes itself", `const e = new Error("round"); e.cause = e; throw e;`, { message: "round" }],
    [
      "errors within errors",
      `throw new AggregateError([new Error("one"), new Error("two"), null], "both");`,
      { name: "AggregateError", message: "both [one; two]" },
    ],
    ["an error with its cause", `throw new Error("outer", { cause: new Error("inner") });`, { message: "outer" }],
    [
      "an error of another class",
      `class MyError extends Error { constructor() { super("mine"); this.name = "MyError"; } } throw new MyError();`,
      { name: "MyError", message: "mine" },
    ],
  ])("%s becomes three texts", async (_, statements, error) => {
    expect(await run(statements)).toMatchObject({ error: { kind: "threw", ...error, stack: expect.any(String) } });
    await expectHealth();
  });

  it("the texts are short", async () => {
    const outcome = await run(
      `const e = new Error("x".repeat(2 ** 24)); e.name = "n".repeat(1e6); e.stack = "    at " + "s".repeat(1e6); throw e;`,
    );
    expect(outcome.error?.message).toHaveLength(4000);
    expect(outcome.error?.name.length).toBeLessThanOrEqual(100);
    expect(outcome.error?.stack.length).toBeLessThanOrEqual(4000);
  });

  it("the stack holds positions in the user's script, and its causes", async () => {
    const outcome = await run(`const inner = () => { throw new Error("outer", { cause: new Error("inner") }); }; inner();`);
    expect(outcome.error?.stack).toMatch(
      /^ {4}at inner \(hooks\/mine\.ts:\d+:\d+\)\n {4}at Object\.preCall \(hooks\/mine\.ts:\d+:\d+\)\nCaused by inner\n {4}at inner/,
    );
    expect(outcome.error?.stack).not.toContain("ccproxy:runtime");
  });

  it("an endless getter ends with the slice", async () => {
    expect(await run(`throw { get message() { for (;;); } };`, { sliceMs: 30 })).toMatchObject({ error: { kind: "timeout" } });
    expect(await run(`throw new Proxy({}, { get() { for (;;); } });`, { sliceMs: 30 })).toMatchObject({ error: { kind: "timeout" } });
    await expectHealth();
  });

  it("stack formatting of its own is not run", async () => {
    const outcome = await run(`Error.prepareStackTrace = () => { for (;;); }; Error.stackTraceLimit = 1; throw new Error("plain");`, {
      sliceMs: 200,
    });
    expect(outcome).toMatchObject({ error: { kind: "threw", message: "plain" } });
  });
});

describe("what is returned", () => {
  it.each([
    ["an object with a hostile kind", `return { get kind() { throw new Error("no kind"); } };`, "no kind"],
    ["a hostile thenable", `return { get then() { throw new Error("no then"); } };`, "no then"],
    ["a thenable that rejects", `return { then(resolve, reject) { reject(new Error("later")); } };`, "later"],
    ["a promise of a proxy", `return Promise.resolve(new Proxy(function () {}, {}));`, "preCall returned a function"],
    ["a cycle", `const content = []; content.push(content); return respond({ content });`, "the value is not JSON"],
    ["hostile JSON", `return respond({ content: [{ toJSON() { throw new Error("no json"); } }] });`, "no json"],
  ])("may be %s", async (_, statements, message) => {
    const { error } = await run(statements);
    expect(error?.kind).toMatch(/threw|invalid/);
    expect(error?.message).toContain(message);
    await expectHealth();
  });

  it("may be a proxy: what it shows at once is taken", async () => {
    expect(await run(`return new Proxy({}, { get() { return "respond"; } });`)).toMatchObject({
      decision: { kind: "respond", reply: "respond" },
    });
  });

  it("of enormous size is refused", async () => {
    const outcome = await run(`return respond("x".repeat(2 ** 26));`);
    expect(outcome).toMatchObject({ error: { kind: "invalid", message: expect.stringContaining("at most") } });
  });

  it("a thenable is settled once, with what came first", async () => {
    expect(
      await run(`return { then(resolve) { resolve(respond("first")); resolve(respond("second")); throw new Error("third"); } };`),
    ).toMatchObject({ decision: { reply: "first" } });
  });
});

describe("promises", () => {
  it("a rejection nobody handles is logged with the next call, and harms neither", async () => {
    await host.load([
      preCall(`if (request.model === "stray") void Promise.reject(new Error("late failure")); return respond(request.model);`),
    ]);
    expect(await host.outcome({ phase: "preCall", body: { ...body, model: "stray" } })).toMatchObject({ decision: { reply: "stray" } });
    expect(await host.outcome({ phase: "preCall", body: { ...body, model: "next" } })).toMatchObject({
      decision: { reply: "next" },
      writes: { logs: [{ level: "error", text: expect.stringContaining("late failure") }] },
    });
  });

  it("one of a rule among several takes no verdict along", async () => {
    const stray = { code: moduleOf(`defineRule(() => { void Promise.reject(new Error("late failure")); return false; })`) };
    await host.load([stray, stray, { code: moduleOf(`defineRule(() => "last")`) }]);
    await host.outcomes({ body, units: [0, 1, 2] });
    const outcomes = await host.outcomes({ body, units: [0, 1, 2] });
    expect(outcomes).toMatchObject([{ unit: 0 }, { unit: 1 }, { unit: 2, verdict: "last" }]);
    expect(outcomes.some(({ error }) => error !== undefined)).toBe(false);
    expect(JSON.stringify(outcomes)).toContain("late failure");
  });

  it("one that can never settle is a deadlock at once", async () => {
    expect(await run(`return new Promise(() => {});`)).toMatchObject({
      error: { kind: "deadlock", message: expect.stringContaining("nothing will ever settle") },
    });
  });

  it("endless microtasks end with the slice", async () => {
    expect(await run(`(async () => { for (;;) await 0; })(); return respond("a");`, { sliceMs: 30 })).toMatchObject({
      error: { kind: "timeout" },
    });
    expect(await run(`return (async () => { for (;;) await null; })();`, { sliceMs: 30 })).toMatchObject({ error: { kind: "timeout" } });
    await expectHealth();
  });
});

describe("a timeout", () => {
  it("tells where the code was", async () => {
    const { error } = await run(`const spin = () => { for (;;); }; spin();`, { sliceMs: 30 });
    // On a busy machine it has had a second chance, with more time.
    expect(error).toMatchObject({ kind: "timeout", message: expect.stringMatching(/^ran for (30|105) ms without an end$/) });
    expect(error?.stack).toMatch(/at spin \(hooks\/mine\.ts:\d+:\d+\)/);
    expect(error?.stack).not.toMatch(/node:|host-/);
  });

  it("costs the file the state of its module, and other versions nothing", async () => {
    const counting = `defineHook((() => { let count = 0; return { preCall(request) { if (request.model === "loop") for (;;); return respond(String(++count)); } }; })())`;
    await host.load([{ kind: "hook", code: moduleOf(counting) }], { version: 7 });
    await host.load([{ kind: "hook", code: moduleOf(counting) }], { version: 8 });
    const reply = async (version: number, model = "x") =>
      (await host.outcome({ version, phase: "preCall", body: { ...body, model }, sliceMs: 50 })).decision ?? "none";
    await reply(7);
    await reply(8);
    expect(await reply(8, "loop")).toBe("none");
    expect(await reply(7)).toMatchObject({ reply: "2" });
    expect(await reply(8)).toMatchObject({ reply: "1" });
    host.send({ type: "unload", version: 7 });
    expect(await host.outcome({ version: 7, phase: "preCall", body })).toMatchObject({ error: { message: "unit 0 is not loaded" } });
    expect(await reply(8)).toMatchObject({ reply: "2" });
  });
});

describe("memory", () => {
  it("beyond the limit of an isolate is an error of its own kind, and the isolate is made anew", async () => {
    expect(await run(`const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length));`, { sliceMs: 5000 })).toMatchObject({
      error: { kind: "memory" },
    });
    await expectHealth();
  });

  it("of rules: the one that takes it is told from the others", async () => {
    await host.load([
      { code: moduleOf(`defineRule(() => false)`) },
      { code: moduleOf(`defineRule(() => { const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length)); })`) },
      { code: moduleOf(`defineRule(() => "last")`) },
    ]);
    const outcomes = await host.outcomes({ body, units: [0, 1, 2], sliceMs: 5000 });
    expect(outcomes.map(({ error, verdict }) => error?.kind ?? verdict)).toEqual([undefined, "memory", "last"]);
  });
});

describe("a file that does not load", () => {
  it.each([
    ["throws", `(() => { throw new Error("at load"); })()`, { message: "at load", name: "Error" }],
    ["throws a proxy", `(() => { throw new Proxy({}, { get() { throw 1; } }); })()`, { message: "threw an object without a message" }],
    ["loops", `(() => { for (;;); })()`, { name: "timeout" }],
    ["exports nothing of use", `42`, { message: expect.stringContaining("the export default is a number (42)") }],
    ["exports an object without a phase", `({ name: "x" })`, { message: expect.stringContaining("without a phase") }],
    [
      "has a class whose constructor throws",
      `class { constructor() { throw new Error("in constructor"); } preCall() {} }`,
      { message: "in constructor" },
    ],
    [
      "has parameters that do not fit",
      `defineHook({ params() { throw new Error("threshold is missing"); }, preCall() {} })`,
      { message: "threshold is missing" },
    ],
    [
      "has events that are no list",
      `defineHook({ events: "all", onEvent() {} })`,
      { message: expect.stringContaining("wanted a list of types") },
    ],
    ["exports a getter that throws", `defineHook({ get preCall() { throw new Error("getter"); } })`, { message: "getter" }],
    ["is a rule among the hooks", `defineRule(() => true)`, { message: expect.stringContaining("belongs into ccproxy.rules") }],
  ])("because it %s says so", async (_, expression, error) => {
    const manifests = await host.load([
      { kind: "hook", file: "hooks/bad.ts", code: moduleOf(expression) },
      preCall(`return respond("well");`),
    ]);
    expect(manifests).toMatchObject([
      { unit: 0, error },
      { unit: 1, phases: ["preCall"] },
    ]);
    expect(manifests[1]?.error).toBeUndefined();
    const outcomes = await host.outcomes({ phase: "preCall", body, units: [0, 1] });
    expect(outcomes).toMatchObject([{ error: {} }, { decision: { reply: "well" } }]);
  });

  it("because of its syntax says so with the place", async () => {
    const [manifest] = await host.load([{ file: "rules/bad.ts", code: "var __exports = (() => {\n return {{ };\n})();" }]);
    expect(manifest?.error).toMatchObject({ name: "SyntaxError" });
  });

  it("because the export is missing names those that are there", async () => {
    const [manifest] = await host.load([{ file: "rules/many.ts", code: "var __exports = { a: 1, b: 2 };", exportName: "c" }]);
    expect(manifest?.error?.message).toBe("rules/many.ts has no export c; it exports a, b");
  });

  it("does not keep others from loading when a rule loops", async () => {
    const manifests = await host.load([{ code: moduleOf(`(() => { for (;;); })()`) }, { code: moduleOf(`defineRule(() => "well")`) }]);
    expect(manifests).toMatchObject([{ error: { name: "timeout" } }, { phases: ["rule"] }]);
    expect(await host.outcome({ body, units: [1] })).toMatchObject({ verdict: "well" });
    const outcomes = await host.outcomes({ body, units: [0, 1] });
    expect(outcomes).toMatchObject([{ error: {} }, { verdict: "well" }]);
  });
});

describe("units of one file", () => {
  it("share the module", async () => {
    const code = `var __exports = (() => { let count = 0; return { one: { preCall() { return { kind: "respond", reply: String(++count) }; } }, two: { preCall() { return { kind: "respond", reply: String(++count) }; } } }; })();`;
    await host.load([
      { kind: "hook", file: "hooks/both.ts", code, exportName: "one" },
      { kind: "hook", file: "hooks/both.ts", code, exportName: "two" },
    ]);
    expect(await host.outcome({ phase: "preCall", body, units: [0] })).toMatchObject({ decision: { reply: "1" } });
    expect(await host.outcome({ phase: "preCall", body, units: [1] })).toMatchObject({ decision: { reply: "2" } });
  });
});
