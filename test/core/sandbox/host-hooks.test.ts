import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GrantNames } from "../../../core/sandbox/protocol.ts";
import { moduleOf, startHost, type TestHost } from "../../helpers/hook-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.close();
});

const body = { model: "claude-x", messages: [{ role: "user", content: "hello" }], max_tokens: 10 };
const none: GrantNames = { fetch: false, callModel: false, kv: false, replyTools: false };
const all: GrantNames = { fetch: true, callModel: true, kv: true, replyTools: true };
const hook = (expression: string, more: object = {}) =>
  ({ kind: "hook", file: "hooks/mine.ts", code: moduleOf(`defineHook(${expression})`), ...more }) as const;
/** A hook whose preCall is this. */
const preCall = (statements: string, more: object = {}) => hook(`{ async preCall(request, context) { ${statements} } }`, more);

describe("a hook", () => {
  it("tells its phases and wishes", async () => {
    const [manifest] = await host.load([
      hook(
        `{ summary: "redacts", required: true, buffer: true, events: ["content_block_delta"], preUpstream() {}, onEvent() {}, postCall() {} }`,
      ),
    ]);
    expect(manifest).toEqual({
      unit: 0,
      defined: "hook",
      summary: "redacts",
      phases: ["preUpstream", "postCall", "onEvent"],
      required: true,
      buffer: true,
      events: ["content_block_delta"],
    });
  });

  it.each([
    ["a function, for preCall", `(request) => { request.max_tokens = 5; }`],
    ["a class", `class { constructor({ limit }) { this.limit = limit; } preCall(request) { request.max_tokens = this.limit; } }`],
    ["an object", `{ limit: 5, preCall(request) { request.max_tokens = this.limit; } }`],
  ])("may be %s", async (_, expression) => {
    await host.load([{ kind: "hook", code: moduleOf(expression), params: { positional: [], named: { limit: 5 } } }]);
    expect(await host.outcome({ phase: "preCall", body })).toMatchObject({ patch: { o: { max_tokens: { v: "5" } } } });
  });

  it("that changes nothing lets the next one run; one that changes something is the last of its call", async () => {
    await host.load([
      hook(`{ preCall() {} }`),
      hook(`{ preCall(request) { request.stream = true; } }`),
      hook(`{ preCall() { return deny(400, "never asked"); } }`),
    ]);
    const before = host.received.length;
    const outcomes = await host.outcomes({ phase: "preCall", units: [0, 1, 2], body });
    expect(outcomes).toEqual([
      { unit: 0, us: expect.any(Number) },
      { unit: 1, us: expect.any(Number), patch: { o: { stream: { v: "true" } } } },
    ]);
    expect(host.received.slice(before).map((message) => (message.type === "progress" ? message.unit : message.type))).toEqual([1, "done"]);
  });

  it("changes a reply in postCall", async () => {
    await host.load([hook(`{ postCall(reply) { reply.content[0].text = reply.content[0].text.toUpperCase(); } }`)]);
    const subject = JSON.stringify({ id: "msg_1", content: [{ type: "text", text: "hi" }] });
    expect(await host.outcome({ phase: "postCall", subject })).toMatchObject({
      patch: { o: { content: { e: { 0: { o: { text: { v: '"HI"' } } } } } } },
    });
  });

  it("answers an error in onError, and the hooks behind it are not asked", async () => {
    const answers = `{ onError(error) { if (error.status === 529) return respond("busy: " + error.message); } }`;
    await host.load([hook(answers), hook(`{ onError() { return deny(500, "later"); } }`)]);
    const outcomes = await host.outcomes({
      phase: "onError",
      units: [0, 1],
      subject: JSON.stringify({ status: 529, message: "overloaded" }),
    });
    expect(outcomes).toMatchObject([{ unit: 0, decision: { kind: "respond", reply: "busy: overloaded" } }]);
  });

  it("runs in onComplete whatever the others did there", async () => {
    const logs = `{ onComplete(completion, context) { context.log("cost", completion.costUsd); } }`;
    await host.load([hook(logs), hook(logs)]);
    const outcomes = await host.outcomes({ phase: "onComplete", units: [0, 1], subject: JSON.stringify({ costUsd: 0.5 }) });
    expect(outcomes.map(({ writes }) => writes?.logs)).toEqual(Array.from({ length: 2 }, () => [{ level: "info", text: "cost 0.5" }]));
  });

  it.each([
    [`respond("hi")`, { kind: "respond", reply: "hi" }],
    [
      `respond({ content: [{ type: "text", text: "a" }], stop_reason: "end_turn" })`,
      { kind: "respond", reply: { content: [{ type: "text", text: "a" }], stop_reason: "end_turn" } },
    ],
    [`deny(403, "not here")`, { kind: "deny", status: 403, message: "not here" }],
  ])("decides with %s", async (returned, decision) => {
    await host.load([preCall(`return ${returned};`)]);
    expect(await host.outcome({ phase: "preCall", body })).toMatchObject({ decision });
  });

  it.each([`undefined`, `null`, `request`])("that returns %s decides nothing", async (returned) => {
    await host.load([preCall(`return ${returned};`)]);
    expect(await host.outcome({ phase: "preCall", body })).toEqual({ unit: 0, us: expect.any(Number) });
  });

  it.each([
    ["42", "preCall returned a number (42); wanted nothing, respond(…) or deny(…)"],
    ["{ ...request }", 'preCall returned an object; wanted nothing, respond(…) or deny(…). Changes are made in place: request.model = "…"'],
    ["deny(200, 'fine')", "preCall denied with the status a number (200); wanted a whole number from 400 to 599"],
    ["deny(400)", "preCall denied with nothing for a message; wanted a text"],
    ["respond({ text: 'a' })", "preCall responded with an object; wanted a text or { content: [blocks] }"],
    ["respond({ content: [() => 1, 10n] })", "preCall: respond: the value is not JSON (Do not know how to serialize a BigInt)"],
  ])("that returns %s is told what is wanted", async (returned, message) => {
    await host.load([preCall(`return ${returned};`)]);
    expect(await host.outcome({ phase: "preCall", body })).toMatchObject({ error: { kind: "invalid", message } });
  });
});

describe("a part that is not there", () => {
  it.each([
    ["decides", `return deny(400, "without it");`],
    ["throws", `throw new Error("without it");`],
    ["asks for something", `await context.kv.get("a");`],
    ["waits for ever", `await new Promise(() => {});`],
    ["reads on", `for (;;) try { return request.system; } catch { break; }`],
  ])("is asked for, whatever code that caught the error does: one that %s", async (_, statements) => {
    await host.load([preCall(`try { void request.messages[0]; } catch {} ${statements}`, { grants: all })]);
    const answer = await host.call({ phase: "preCall", body: { ...body, system: "s" }, parts: [] });
    expect(answer).toMatchObject({ type: "need", unit: 0 });
    expect("parts" in answer && answer.parts[0]).toEqual(["messages", 0]);
  });
});

describe("the context of a hook", () => {
  const written = async (statements: string, options: object = {}) => {
    await host.load([preCall(statements, options)]);
    return host.outcome({ phase: "preCall", body });
  };

  it("changes headers, within limits", async () => {
    const outcome = await written(`
      context.headers.set("X-Team", "  a "); context.headers.delete("user-agent");
      const refused = (name, value) => { try { context.headers.set(name, value); return "taken"; } catch (error) { return error.message; } };
      context.log([context.headers.get("x-team"), context.headers.has("user-agent"), refused("Authorization", "Bearer x"), refused("host", "evil"), refused("x-a", "1\\r\\nx-b: 2"), refused("a b", "c"), refused("x-ccproxy-y", "z"), refused("x-n", 3)]);`);
    expect(outcome.headers).toEqual([
      ["x-team", "a"],
      ["user-agent", null],
    ]);
    const [team, agent, ...refusals] = JSON.parse(outcome.writes?.logs?.[0]?.text ?? "") as unknown[];
    expect([team, agent]).toEqual(["a", false]);
    expect(refusals).toHaveLength(6);
    for (const refusal of refusals) expect(refusal).toMatch(/^headers: /);
  });

  it("refuses changed headers where nothing is sent any more", async () => {
    await host.load([hook(`{ postCall(reply, context) { context.headers.set("x-a", "b"); } }`)]);
    expect(await host.outcome({ phase: "postCall", subject: "{}" })).toMatchObject({
      error: { message: "headers can be changed in preCall and preUpstream only" },
    });
  });

  it("remembers in its stores what is written, and gives copies", async () => {
    await host.load([
      preCall(`const list = context.state.get("list"); list.push(9); context.state.set("seen", context.state.get("list").length); context.state.delete("old");
        context.locals.set("a", { b: 1 }); context.log(context.state.keys(), context.state.get("old") ?? "gone", context.state.get("never") ?? "never");`),
    ]);
    const outcome = await host.outcome({ phase: "preCall", body, stores: { 0: { state: { list: [1, 2], old: true }, locals: {} } } });
    expect(outcome.error).toBeUndefined();
    expect(outcome.writes).toEqual({
      state: { seen: 2, old: null },
      locals: { a: { b: 1 } },
      logs: [{ level: "info", text: '["list","seen"] gone never' }],
    });
  });

  it.each([
    [`context.state.set("a", "x".repeat(70_000));`, /context\.state is full: with "a" it would hold more than 64 KiB/],
    [`context.locals.set("a", () => 1);`, /context\.locals\.set\("a"\): function is not a JSON value/],
    [`context.state.set("__proto__", 1);`, /__proto__ cannot be a key/],
    [`const o = {}; o.o = o; context.annotate("a", o);`, /context\.annotate\("a"\): the value is not JSON/],
    [`context.annotate("a", "x".repeat(5000));`, /the fields of a call may take 4096 characters/],
    [`context.pseudonym({});`, /got a object; wanted a text/],
  ])("refuses %s", async (statements, message) => {
    expect(await written(statements)).toMatchObject({ error: { kind: "threw", message: expect.stringMatching(message) } });
  });

  it("stays what it was when a value did not fit", async () => {
    const outcome = await written(
      `context.state.set("a", 1); try { context.state.set("a", "x".repeat(70_000)); } catch {} context.log(context.state.get("a"));`,
    );
    expect(outcome.writes).toEqual({ state: { a: 1 }, logs: [{ level: "info", text: "1" }] });
  });

  it("annotates, and what is said last counts", async () => {
    expect(await written(`context.annotate("team", "a"); context.annotate("team", ["b"]);`)).toMatchObject({
      writes: { annotations: { team: ["b"] } },
    });
  });

  it("gives pseudonyms: HMAC-SHA-256 of the text, 16 digits", async () => {
    const texts = ["", "secret", "ä€😀", "x".repeat(55), "y".repeat(64), "z".repeat(1000)];
    await host.load([preCall(`context.log(${JSON.stringify(texts)}.map(context.pseudonym));`, { pseudonymKey: "ab".repeat(32) })]);
    const outcome = await host.outcome({ phase: "preCall", body });
    const expected = texts.map((text) =>
      createHmac("sha256", Buffer.from("ab".repeat(32), "hex"))
        .update(text)
        .digest("hex")
        .slice(0, 16),
    );
    expect(JSON.parse(outcome.writes?.logs?.[0]?.text ?? "")).toEqual(expected);
  });

  it("shows granted variables and what is granted", async () => {
    const outcome = await written(`context.log({ env: context.env, grants: context.grants }); context.env.OTHER = "b";`, {
      env: { TEAM: "a" },
      grants: { ...none, kv: true },
    });
    expect(outcome).toMatchObject({ error: { name: "TypeError" } });
    expect(JSON.parse(outcome.writes?.logs?.[0]?.text ?? "")).toEqual({ env: { TEAM: "a" }, grants: { ...none, kv: true } });
  });

  it("keeps what a failing hook logged, and nothing else it wrote", async () => {
    const outcome = await written(
      `context.state.set("a", 1); context.annotate("b", 2); console.warn("look", { c: 3 }); throw new Error("no");`,
    );
    expect(outcome).toMatchObject({ error: { kind: "threw", name: "Error", message: "no" } });
    expect(outcome.writes).toEqual({ logs: [{ level: "warn", text: 'look {"c":3}' }] });
  });

  it("cuts long lines and long logs", async () => {
    const outcome = await written(`context.log("x".repeat(1e7)); for (let i = 0; i < 5000; i++) console.log("line " + i);`);
    const logs = outcome.writes?.logs ?? [];
    expect(logs[0]?.text).toHaveLength(4096);
    expect(logs.length).toBeLessThanOrEqual(1001);
    expect(logs.at(-1)?.text).toMatch(/the log of this call is full/);
  });

  it("logs errors with their stack, and what is no JSON", async () => {
    const outcome = await written(
      `const loop = {}; loop.loop = loop; console.log(new RangeError("far"), Symbol("s"), 10n, undefined, null, () => 1, loop);`,
    );
    expect(outcome.writes?.logs?.[0]?.text).toMatch(
      /^RangeError: far\n {4}at .*hooks\/mine\.ts:\d+:\d+\)[^]* Symbol\(s\) 10 undefined null \[function\] \[not JSON: /,
    );
  });
});

describe("what was not granted", () => {
  it.each([
    [
      `await context.fetch("https://api.example.com/x")`,
      `context.fetch is not granted to hooks/mine.ts`,
      `grants: ["fetch:api.example.com"]`,
    ],
    [
      `await context.callModel({ model: "small", messages: [] })`,
      `context.callModel is not granted to hooks/mine.ts`,
      `grants: ["callModel:small"]`,
    ],
    [`await context.kv.get("a")`, `context.kv is not granted to hooks/mine.ts`, `grants: ["kv"]`],
    [`await context.kv.set("a", 1)`, `context.kv is not granted to hooks/mine.ts`, `grants: ["kv"]`],
  ])("%s says how to grant it", async (statement, what, how) => {
    await host.load([preCall(`${statement};`, { grants: none })]);
    const outcome = await host.outcome({ phase: "preCall", body });
    expect(outcome.error?.message).toContain(what);
    expect(outcome.error?.message).toContain(how);
  });
});

describe("operations", () => {
  let id = 10_000;

  it("are asked for, and the run goes on with their results", async () => {
    await host.load([
      preCall(
        `const reply = await context.fetch("https://a.example/x", { method: "post", headers: { "X-A": "b" }, body: { c: 1 } });
         request.model = reply.json().model + reply.status + reply.ok + reply.headers["x-d"] + reply.text().length;`,
        { grants: all },
      ),
    ]);
    const asked = await host.call({ id: ++id, phase: "preCall", body });
    const operation = {
      seq: 0,
      op: "fetch",
      url: "https://a.example/x",
      method: "POST",
      headers: { "x-a": "b", "content-type": "application/json" },
      body: '{"c":1}',
    };
    expect(asked).toEqual({ type: "operations", id, unit: 0, operations: [operation] });
    const done = await host.resume(id, [{ seq: 0, ok: true, value: { status: 200, headers: { "x-d": "e" }, body: '{"model":"m"}' } }]);
    expect(done).toMatchObject({ type: "done", outcomes: [{ unit: 0, patch: { o: { model: { v: '"m200truee13"' } } } }] });
  });

  it("that fail throw where they are awaited", async () => {
    await host.load([
      preCall(`try { await context.callModel({ model: "small", messages: [] }); } catch (error) { return deny(503, error.message); }`, {
        grants: all,
      }),
    ]);
    expect(await host.call({ id: ++id, phase: "preCall", body })).toMatchObject({
      operations: [{ seq: 0, op: "callModel", request: { model: "small", messages: [] } }],
    });
    const done = await host.resume(id, [{ seq: 0, ok: false, message: "no such group" }]);
    expect(done).toMatchObject({ outcomes: [{ decision: { kind: "deny", status: 503, message: "no such group" } }] });
  });

  it("of a model give its text", async () => {
    await host.load([
      preCall(`const { text, reply } = await context.callModel({ model: "small", messages: [] }); return respond(text + reply.id);`, {
        grants: all,
      }),
    ]);
    await host.call({ id: ++id, phase: "preCall", body });
    const content = [
      { type: "text", text: "a" },
      { type: "thinking", thinking: "x" },
      { type: "text", text: "b" },
    ];
    const done = await host.resume(id, [{ seq: 0, ok: true, value: { id: "msg_1", content } }]);
    expect(done).toMatchObject({ outcomes: [{ decision: { reply: "abmsg_1" } }] });
  });

  it("may run beside each other, and results may come one by one", async () => {
    await host.load([
      preCall(
        `const [a, b] = await Promise.all([context.kv.get("a"), context.kv.get("b")]); const c = await context.kv.get("c"); return respond([a, b, c].join());`,
        { grants: all },
      ),
    ]);
    expect(await host.call({ id: ++id, phase: "preCall", body })).toMatchObject({
      operations: [
        { seq: 0, op: "kv.get", key: "a" },
        { seq: 1, op: "kv.get", key: "b" },
      ],
    });
    expect(await host.resume(id, [{ seq: 1, ok: true, value: ["B"] }])).toMatchObject({ type: "operations", operations: [] });
    expect(await host.resume(id, [{ seq: 0, ok: true, value: [] }])).toMatchObject({
      type: "operations",
      operations: [{ seq: 2, op: "kv.get", key: "c" }],
    });
    expect(await host.resume(id, [{ seq: 2, ok: true, value: ["C"] }])).toMatchObject({ outcomes: [{ decision: { reply: ",B,C" } }] });
  });

  it("of kv: writes travel with the outcome, and reads see them", async () => {
    await host.load([
      preCall(
        `const { kv } = context; await kv.set("a", { n: 1 }); await kv.append("log", "one"); await kv.delete("b");
         const lines = await kv.lines("log", 2); return respond(JSON.stringify([await kv.get("a"), await kv.get("b") ?? null, lines]));`,
        { grants: all },
      ),
    ]);
    expect(await host.call({ id: ++id, phase: "preCall", body })).toMatchObject({
      operations: [{ seq: 0, op: "kv.lines", key: "log", last: 2 }],
    });
    const done = await host.resume(id, [{ seq: 0, ok: true, value: ["x", "y"] }]);
    expect(done).toMatchObject({
      outcomes: [
        {
          decision: { reply: '[{"n":1},null,["y","one"]]' },
          writes: {
            kv: [
              { op: "set", key: "a", value: { n: 1 } },
              { op: "append", key: "log", line: "one" },
              { op: "delete", key: "b" },
            ],
          },
        },
      ],
    });
  });

  it("of two runs of one file do not meet", async () => {
    await host.load([
      preCall(
        `const key = request.model; console.log("before", key); const value = await context.kv.get(key); console.log("after", key); return respond(key + value);`,
        { grants: all },
      ),
    ]);
    const first = ++id;
    const second = ++id;
    await host.call({ id: first, phase: "preCall", body: { ...body, model: "one" } });
    await host.call({ id: second, phase: "preCall", body: { ...body, model: "two" } });
    const logs = (key: string) => [{ text: `before ${key}` }, { text: `after ${key}` }];
    expect(await host.resume(second, [{ seq: 0, ok: true, value: ["B"] }])).toMatchObject({
      outcomes: [{ decision: { reply: "twoB" }, writes: { logs: logs("two") } }],
    });
    expect(await host.resume(first, [{ seq: 0, ok: true, value: ["A"] }])).toMatchObject({
      outcomes: [{ decision: { reply: "oneA" }, writes: { logs: logs("one") } }],
    });
  });

  it("let the next hooks run when they are through", async () => {
    await host.load([preCall(`await context.kv.get("a");`, { grants: all }), preCall(`request.max_tokens = 1;`)]);
    await host.call({ id: ++id, phase: "preCall", units: [0, 1], body });
    const before = host.received.length;
    expect(await host.resume(id, [{ seq: 0, ok: true, value: [] }])).toMatchObject({ outcomes: [{ unit: 0 }, { unit: 1, patch: {} }] });
    expect(host.received.slice(before)).toMatchObject([{ type: "progress", id, unit: 1 }, { type: "done" }]);
  });

  it("that nobody waits for are not asked for, and the log says so", async () => {
    await host.load([preCall(`void context.fetch("https://a.example"); return respond("now");`, { grants: all })]);
    const outcome = await host.outcome({ phase: "preCall", body });
    expect(outcome).toMatchObject({
      decision: { reply: "now" },
      writes: { logs: [{ level: "warn", text: expect.stringContaining("not awaited") }] },
    });
  });

  it("after which the run never ends are followed by a deadlock", async () => {
    await host.load([preCall(`await context.kv.get("a"); await new Promise(() => {});`, { grants: all })]);
    await host.call({ id: ++id, phase: "preCall", body });
    expect(await host.resume(id, [{ seq: 0, ok: true, value: [] }])).toMatchObject({ outcomes: [{ error: { kind: "deadlock" } }] });
  });

  it("after which the run loops are followed by a timeout", async () => {
    await host.load([preCall(`await context.kv.get("a"); for (;;);`, { grants: all })]);
    const loop = async () => {
      await host.call({ id: ++id, phase: "preCall", body, sliceMs: 30 });
      return host.resume(id, [{ seq: 0, ok: true, value: [] }]);
    };
    let answer = await loop();
    // On a busy machine a run that had no chance is asked for again.
    for (let tries = 0; tries < 20 && answer.type === "need"; tries++) answer = await loop();
    expect(answer).toMatchObject({ outcomes: [{ error: { kind: "timeout" } }] });
  });

  it("of a run whose isolate another one took along are asked for again", async () => {
    await host.load([
      preCall(`if (request.model === "loop") for (;;); return respond(String(await context.kv.get("a")));`, { grants: all }),
    ]);
    const waiting = ++id;
    await host.call({ id: waiting, phase: "preCall", body });
    expect(await host.outcome({ phase: "preCall", body: { ...body, model: "loop" }, sliceMs: 30 })).toMatchObject({
      error: { kind: "timeout" },
    });
    expect(await host.resume(waiting, [{ seq: 0, ok: true, value: ["A"] }])).toEqual({ type: "need", id: waiting, unit: 0, parts: [] });
    expect(await host.call({ id: waiting, phase: "preCall", body })).toMatchObject({ operations: [{ seq: 0 }] });
    expect(await host.resume(waiting, [{ seq: 0, ok: true, value: ["A"] }])).toMatchObject({ outcomes: [{ decision: { reply: "A" } }] });
  });

  it("may be followed by a need", async () => {
    await host.load([
      preCall(`const value = await context.kv.get("a"); return respond(value + request.messages[0].content);`, { grants: all }),
    ]);
    await host.call({ id: ++id, phase: "preCall", body, parts: [] });
    expect(await host.resume(id, [{ seq: 0, ok: true, value: ["A"] }])).toMatchObject({ type: "need", unit: 0, parts: [["messages", 0]] });
  });

  it("are limited in number", async () => {
    await host.load([preCall(`await Promise.all(Array.from({ length: 33 }, () => context.kv.get("a")));`, { grants: all })]);
    expect(await host.call({ id: ++id, phase: "preCall", body })).toMatchObject({
      outcomes: [{ error: { message: expect.stringContaining("32 times") } }],
    });
  });
});

describe("an abort", () => {
  let id = 20_000;
  const abort = (reason: string) => host.ask({ type: "abort", id, reason, force: false });

  it("fires the signal, and the run may end with a result", async () => {
    const polite = `let stop; const stopped = new Promise((resolve) => { stop = resolve; }); context.signal.addEventListener("abort", () => stop(context.signal.reason.message));
      return respond(await Promise.race([stopped, context.kv.get("a")]) + context.signal.aborted);`;
    await host.load([preCall(polite, { grants: all })]);
    await host.call({ id: ++id, phase: "preCall", body });
    expect(await abort("time is up")).toMatchObject({ type: "done", outcomes: [{ decision: { reply: "time is uptrue" } }] });
  });

  it("that does not end the run is told so", async () => {
    await host.load([preCall(`await context.kv.get("a");`, { grants: all })]);
    await host.call({ id: ++id, phase: "preCall", body });
    expect(await abort("time is up")).toEqual({ type: "aborted", id });
  });

  it("of a run that is not there is answered all the same", async () => {
    id += 1;
    expect(await abort("too late")).toEqual({ type: "aborted", id });
  });

  it("by force drops the run without an answer", async () => {
    await host.load([preCall(`await context.kv.get("a");`, { grants: all })]);
    await host.call({ id: ++id, phase: "preCall", body });
    host.send({ type: "abort", id, reason: "gone", force: true });
    expect(await host.resume(id, [{ seq: 0, ok: true, value: [] }])).toMatchObject({ type: "need", parts: [] });
  });
});
