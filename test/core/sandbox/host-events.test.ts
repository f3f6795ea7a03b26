import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StreamBatch } from "../../../core/sandbox/protocol.ts";
import { moduleOf, startHost, testContext, type TestHost } from "../../helpers/hook-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.close();
});

const hook = (expression: string, more: object = {}) =>
  ({ kind: "hook", file: "hooks/mine.ts", code: moduleOf(`defineHook(${expression})`), ...more }) as const;
const onEvent = (statements: string, more: object = {}) => hook(`{ onEvent(event, context) { ${statements} } }`, more);
const text = (value: string) => JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: value } });
const open = { context: testContext, stores: {} };
let streams = 0;
const batch = (events: readonly string[], more: Partial<StreamBatch> = {}): StreamBatch => ({
  stream: `stream-${++streams}`,
  units: [0],
  open,
  events,
  ...more,
});
const push = async (one: StreamBatch, options: object = {}) => {
  const [outcome] = (await host.events({ streams: [one], ...options })).streams;
  if (outcome === undefined) throw new Error("no stream");
  return outcome;
};
const textsOf = (events: readonly (0 | readonly string[])[]) =>
  events.map((event) => (event === 0 ? 0 : event.map((one) => (JSON.parse(one) as { delta: { text: string } }).delta.text)));

describe("an event", () => {
  it("that is not touched goes on as it is", async () => {
    await host.load([onEvent(``)]);
    // Spaces and escapes that JSON.stringify would write otherwise.
    const padded = '{"type":"ping", "a":"\\u00e4", "n":1.0 }';
    expect(await push(batch([text("a"), padded]))).toEqual({
      stream: `stream-${streams}`,
      events: [0, 0],
      units: [{ unit: 0, us: expect.any(Number) }],
    });
  });

  it("that is changed in place goes on changed", async () => {
    await host.load([onEvent(`if (event.delta.text === "b") event.delta.text = "B";`)]);
    const outcome = await push(batch([text("a"), text("b")]));
    expect(textsOf(outcome.events)).toEqual([0, ["B"]]);
    expect(outcome.units).toMatchObject([{ unit: 0, changed: [1] }]);
  });

  it.each([
    ["null drops it", `return null;`, [[]]],
    ["itself lets it pass", `return event;`, [0]],
    ["a list takes its place", `return [event, { ...event, delta: { ...event.delta, text: "+" } }];`, [["a", "+"]]],
    ["a list of itself lets it pass", `return [event];`, [0]],
    ["an empty list drops it", `return [];`, [[]]],
    ["another takes its place", `return { ...event, delta: { text: "other" } };`, [["other"]]],
  ])("returning %s", async (_, statements, expected) => {
    await host.load([onEvent(statements)]);
    expect(textsOf((await push(batch([text("a")]))).events)).toEqual(expected);
  });

  it.each([
    ["42", "onEvent returned a number (42); wanted nothing, the event, null, or a list of events"],
    ["[1]", "onEvent returned a number (1); wanted"],
    ["{ text: 1 }", "onEvent returned an event without a type"],
  ])("returning %s is told what is wanted, and the batch goes on unchanged", async (returned, message) => {
    await host.load([onEvent(`if (event.delta.text === "b") return ${returned}; event.delta.text += "!";`)]);
    const outcome = await push(batch([text("a"), text("b")]));
    expect(outcome.events).toEqual([0, 0]);
    expect(outcome.units).toMatchObject([{ error: { kind: "invalid", message: expect.stringContaining(message) } }]);
  });

  it("of a type that is not asked for is not handed over", async () => {
    await host.load([hook(`{ events: ["ping"], onEvent(event) { event.seen = true; } }`)]);
    const outcome = await push(batch([text("a"), '{"type":"ping"}', '{"seen":false,"type":"ping"}']));
    expect(outcome.events).toEqual([0, ['{"type":"ping","seen":true}'], ['{"seen":true,"type":"ping"}']]);
  });

  it("may be handled asynchronously, in order", async () => {
    await host.load([hook(`{ async onEvent(event) { for (let i = 0; i < 3; i++) await null; event.delta.text += "!"; } }`)]);
    expect(textsOf((await push(batch([text("a"), text("b"), text("c")]))).events)).toEqual([["a!"], ["b!"], ["c!"]]);
  });
});

describe("the units of a stream", () => {
  it("each see what the one before made", async () => {
    await host.load([
      onEvent(
        `if (event.delta.text === "two") return [{ ...event, delta: { text: "t" } }, { ...event, delta: { text: "wo" } }]; if (event.delta.text === "drop") return null;`,
      ),
      onEvent(`if (event.delta.text !== "a") event.delta.text += "!";`),
    ]);
    const outcome = await push(batch([text("a"), text("two"), text("drop"), text("b")], { units: [0, 1] }));
    expect(textsOf(outcome.events)).toEqual([0, ["t!", "wo!"], [], ["b!"]]);
    expect(outcome.units).toMatchObject([
      { unit: 0, changed: [1, 2] },
      { unit: 1, changed: [1, 3] },
    ]);
  });

  it("go on behind one that fails", async () => {
    await host.load([onEvent(`throw new Error("no");`), onEvent(`for (;;);`), onEvent(`event.delta.text += "!";`)]);
    const outcome = await push(batch([text("a")], { units: [0, 1, 2] }), { sliceMs: 50 });
    expect(textsOf(outcome.events)).toEqual([["a!"]]);
    expect(outcome.units).toMatchObject([{ error: { kind: "threw" } }, { error: { kind: "timeout" } }, { unit: 2, changed: [0] }]);
  });

  it("are told apart before the second and each later one begins", async () => {
    await host.load([onEvent(``), onEvent(``)]);
    const before = host.received.length;
    await push(batch([text("a")], { units: [0, 1] }));
    expect(host.received.slice(before).map((message) => (message.type === "progress" ? message.unit : message.type))).toEqual([
      1,
      "events-done",
    ]);
  });
});

describe("a stream", () => {
  it("has its context and stores until it ends", async () => {
    await host.load([
      onEvent(
        `const n = (context.locals.get("n") ?? 0) + 1; context.locals.set("n", n); event.delta.text = [n, context.state.get("who"), context.requestId, context.phase].join();`,
      ),
    ]);
    const first = batch([text("a")], { open: { context: testContext, stores: { 0: { state: { who: "me" }, locals: {} } } } });
    expect(textsOf((await push(first)).events)).toEqual([["1,me,req_1,onEvent"]]);
    const { open: _, ...later } = { ...first, events: [text("b"), text("c")] };
    const outcome = await push(later);
    expect(textsOf(outcome.events)).toEqual([["2,me,req_1,onEvent"], ["3,me,req_1,onEvent"]]);
    expect(outcome.units).toMatchObject([{ writes: { locals: { n: 3 } } }]);
  });

  it("has its latest stores also when the isolate had to be made anew", async () => {
    await host.load([
      onEvent(
        `if (event.delta.text === "loop") for (;;); const n = (context.locals.get("n") ?? 0) + 1; context.locals.set("n", n); event.delta.text = String(n);`,
      ),
    ]);
    const first = batch([text("a"), text("b")]);
    await push(first);
    const { open: _, ...later } = first;
    expect(await push({ ...later, events: [text("c"), text("loop")] }, { sliceMs: 50 })).toMatchObject({
      events: [0, 0],
      units: [{ error: { kind: "timeout" } }],
    });
    expect(textsOf((await push({ ...later, events: [text("d")] })).events)).toEqual([["3"]]);
  });

  it("begins anew when it is opened again, and when it has ended", async () => {
    await host.load([
      hook(
        `(() => { const seen = new Map(); return { onEvent(event, context) { const n = (context.locals.get("n") ?? 0) + 1; context.locals.set("n", n); event.delta.text = String(n); } }; })()`,
      ),
    ]);
    const first = batch([text("a")]);
    await push(first);
    expect(textsOf((await push(first)).events)).toEqual([["1"]]);
    host.send({ type: "end-stream", stream: first.stream });
    expect(textsOf((await push(first)).events)).toEqual([["1"]]);
  });

  it("is not changed by one that loops beside it", async () => {
    await host.load([onEvent(`if (event.delta.text === "loop") for (;;); event.delta.text += "!";`)]);
    const { streams: outcomes } = await host.events({
      streams: [batch([text("a")]), batch([text("loop")]), batch([text("c")])],
      sliceMs: 50,
    });
    expect(outcomes.map(({ events }) => textsOf(events))).toEqual([[["a!"]], [0], [["c!"]]]);
    expect(outcomes.map(({ units }) => units[0]?.error?.kind)).toEqual([undefined, "timeout", undefined]);
  });

  it("may have units that others do not have", async () => {
    await host.load([onEvent(`event.delta.text += "0";`), onEvent(`event.delta.text += "1";`), onEvent(`event.delta.text += "2";`)]);
    const { streams: outcomes } = await host.events({
      streams: [batch([text("a")], { units: [0, 2] }), batch([text("b")], { units: [1] }), batch([text("c")], { units: [1, 2] })],
    });
    expect(outcomes.map(({ events, units }) => [textsOf(events), units.map(({ unit }) => unit)])).toEqual([
      [[["a02"]], [0, 2]],
      [[["b1"]], [1]],
      [[["c12"]], [1, 2]],
    ]);
  });

  it("waits for nothing outside", async () => {
    await host.load([
      hook(`{ async onEvent(event, context) { await context.kv.get("a"); } }`, {
        grants: { fetch: true, callModel: true, kv: true, replyTools: true },
      }),
    ]);
    expect(await push(batch([text("a")]))).toMatchObject({
      events: [0],
      units: [{ error: { message: expect.stringContaining("ask in preCall") } }],
    });
    await host.load([hook(`{ async onEvent(event, context) { await new Promise(() => {}); } }`)]);
    expect(await push(batch([text("a")]))).toMatchObject({ events: [0], units: [{ error: { kind: "deadlock" } }] });
  });

  it("is not flooded by a unit, and the others see it without that", async () => {
    await host.load([
      onEvent(`event.delta.text += "0";`),
      onEvent(`if (event.delta.text === "b0") return Array.from({ length: 10_001 }, () => event); event.delta.text += "!";`),
      onEvent(`event.delta.text += "2";`),
    ]);
    const outcome = await push(batch([text("a"), text("b")], { units: [0, 1, 2] }));
    expect(textsOf(outcome.events)).toEqual([["a02"], ["b02"]]);
    expect(outcome.units).toMatchObject([
      { changed: [0, 1] },
      { error: { kind: "invalid", message: expect.stringContaining("more than 10000") } },
      { changed: [0, 1] },
    ]);
    await host.load([onEvent(`event.delta.text = "x".repeat(5e6);`)]);
    expect(await push(batch([text("a")]))).toMatchObject({
      events: [0],
      units: [{ error: { kind: "invalid", message: expect.stringContaining("more than") } }],
    });
  });

  it("may write to kv", async () => {
    await host.load([
      hook(`{ async onEvent(event, context) { await context.kv.append("log", event.delta.text); } }`, {
        grants: { fetch: false, callModel: false, kv: true, replyTools: false },
      }),
    ]);
    expect(await push(batch([text("a"), text("b")]))).toMatchObject({
      events: [0, 0],
      units: [
        {
          writes: {
            kv: [
              { op: "append", key: "log", line: "a" },
              { op: "append", key: "log", line: "b" },
            ],
          },
        },
      ],
    });
  });
});
