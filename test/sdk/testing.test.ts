import { describe, expect as wanted, test as vitest } from "vitest";

import { defineHook, defineRule, deny, param } from "../../sdk/index.ts";
import { eventsOf, expect, makeContext, makeReply, makeRequest, replyOf, runHook, runRule, test, testHook } from "../../sdk/testing.ts";

describe("expect", () => {
  vitest.each<[string, () => unknown, string]>([
    ["toBe", () => expect("a").toBe("b"), 'expected "a" to be "b"'],
    ["not.toBe", () => expect(Number.NaN).not.toBe(Number.NaN), "expected NaN not to be NaN"],
    ["toEqual", () => expect([1]).toEqual([1, 2]), "to equal"],
    ["toEqual of lists and objects", () => expect([]).toEqual({}), "to equal"],
    ["toEqual of a missing member", () => expect({ a: 1 }).toEqual({ a: 1, b: 2 }), "to equal"],
    ["toEqual of null", () => expect(null).toEqual({}), "expected null to equal"],
    ["toContain of a text", () => expect("abc").toContain("d"), 'expected "abc" to contain "d"'],
    ["toContain of a list", () => expect([{ a: 1 }]).toContain({ a: 2 }), "to contain"],
    ["toMatch", () => expect("abc").toMatch(/d/), 'expected "abc" to match /d/'],
    ["toMatch of a number", () => expect(1).toMatch(/1/), "expected 1 to match /1/"],
    ["toThrow of what does not", () => expect(() => 1).toThrow(), "expected the function to throw; nothing was thrown"],
    ["toThrow with another message", () => expect(() => fail("x")).toThrow("y"), 'expected the function to throw "y"; it threw "x"'],
    ["not.toThrow", () => expect(() => fail("x")).not.toThrow(), "expected the function not to throw"],
    ["toThrow of no function", () => expect(1).toThrow(), "expected a function to call, got 1"],
  ])("%s fails with both sides", (_name, check, message) => {
    wanted(check).toThrow(message);
  });

  vitest("what holds is silent", async () => {
    expect(1).toBe(1);
    expect(1).not.toBe(2);
    expect({ a: [1], b: undefined }).toEqual({ a: [1] });
    expect({ a: 1 }).not.toEqual({ a: 2 });
    expect("abc").toContain("b");
    expect([{ a: 1 }]).toContain({ a: 1 });
    expect("abc").toMatch(/B/i);
    const sticky = /a/g;
    expect("a").toMatch(sticky);
    expect("a").toMatch(sticky);
    await expect(() => fail("x")).toThrow(/x/);
    await expect(() => 1).not.toThrow();
    await expect(() => Promise.reject(new Error("late"))).toThrow("late");
  });

  vitest("promises have to be awaited, and then fail too", async () => {
    await wanted(Promise.resolve(expect(async () => 1).toThrow())).rejects.toThrow("nothing was thrown");
  });
});

function fail(message: string): never {
  throw new Error(message);
}

describe("replies as events", () => {
  const reply = makeReply({
    content: [
      { type: "text", text: "Hello there" },
      { type: "thinking", thinking: "hm hm", signature: "sig" },
      { type: "tool_use", id: "t", name: "Bash", input: { command: "ls", list: [1, "ä"] } },
      { type: "text", text: "" },
    ],
    stop_reason: "tool_use",
  });
  vitest.each([1, 3, 1000])("come back the same from pieces of %d", (length) => {
    wanted(replyOf(eventsOf(reply, length))).toEqual(reply);
  });
  vitest("are refused when they are none", () => {
    wanted(() => replyOf([])).toThrow("begins with message_start, not with nothing");
    wanted(() => replyOf([...eventsOf(reply).slice(0, 1), ...eventsOf(reply).slice(2)])).toThrow("block 0, which has not begun");
  });
});

describe("running", () => {
  const rule = defineRule({ params: { least: param.integer() }, evaluate: (request, { least }) => request.messages.length >= least });

  vitest("a rule, with its parameters checked; what it changes stays in a copy", async () => {
    const request = makeRequest();
    wanted(await runRule(rule, request, { least: 1 })).toBe(true);
    wanted(await runRule((each) => ((each.model = "other"), "label"), request)).toBe("label");
    wanted(request).toEqual(makeRequest());
    await wanted(runRule(rule, request)).rejects.toThrow("params.least is missing");
  });

  vitest("the phases of a hook, each with what it sees", async () => {
    const seen: string[] = [];
    const hook = defineHook({
      preCall: (request, context) => {
        context.state.set("n", Number(context.state.get("n") ?? 0) + 1);
        seen.push(context.phase, request.model);
        return deny(403, "no");
      },
      postCall: (reply) => void (reply.model = "other"),
      onError: (error) => void seen.push(error.message),
      onComplete: (completion) => void seen.push(completion.outcome),
    });
    const context = makeContext({ session: "s" });
    wanted((await runHook(hook, "preCall", makeRequest(), { context })).decision).toEqual(deny(403, "no"));
    await runHook(hook, "preCall", makeRequest(), { context });
    wanted(context.state.get("n")).toBe(2);
    wanted((await runHook(hook, "postCall", makeReply())).reply.model).toBe("other");
    const error = { status: 529, type: "overloaded_error", message: "busy", source: "upstream" as const, midStream: false };
    await runHook(hook, "onError", error);
    const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: undefined, cacheWriteTokens: undefined };
    await runHook(hook, "onComplete", { outcome: "completed", status: 200, usage, costUsd: null, firstByteMs: 1, totalMs: 2, attempts: 1 });
    wanted(seen).toEqual(["preCall", "claude-sonnet-5-5", "preCall", "claude-sonnet-5-5", "busy", "completed"]);
    await wanted(runHook(hook, "preUpstream", makeRequest())).rejects.toThrow("the hook has no preUpstream");
  });

  vitest("events: kept, changed, dropped, replaced, and only the types that were asked for", async () => {
    const hook = defineHook({
      events: ["content_block_delta"],
      onEvent: (event) => {
        if (event.type !== "content_block_delta" || event.delta.type !== "text_delta") throw new Error("not asked for");
        const { text } = event.delta;
        if (text === "drop") return null;
        if (text === "twice") return [event, event];
        if (text === "change") event.delta.text = "changed";
        return undefined;
      },
    });
    const reply = makeReply({ content: ["keep", "change", "drop", "twice"].map((text) => ({ type: "text" as const, text })) });
    const { events } = await runHook(hook, "onEvent", reply);
    const texts = events.flatMap((event) =>
      event.type === "content_block_delta" && event.delta.type === "text_delta" ? [event.delta.text] : [],
    );
    wanted(texts).toEqual(["keep", "changed", "twice", "twice"]);
  });

  vitest("what is not granted throws, and a wrong grant is told", async () => {
    const bare = makeContext();
    await wanted(bare.fetch("https://example.com")).rejects.toThrow("context.fetch needs the grant fetch:host");
    await wanted(bare.kv.get("x")).rejects.toThrow("needs the grant kv");
    wanted(() => makeContext({ grants: ["net"] })).toThrow('there is no grant "net"');
    const reply = { status: 200, ok: true, headers: {}, text: () => "hi", json: () => null };
    const granted = makeContext({
      grants: ["fetch:example.com", "kv", "callModel:small"],
      fetch: () => reply,
      callModel: () => ({ text: "yes", reply: null }),
    });
    wanted((await granted.fetch("https://example.com")).text()).toBe("hi");
    wanted((await granted.callModel({ model: "small", messages: [] })).text).toBe("yes");
    await granted.kv.append("x", { a: 1 });
    await granted.kv.append("x", 2);
    wanted(await granted.kv.lines("x", 1)).toEqual([2]);
    wanted(granted.stored).toEqual({ x: [{ a: 1 }, 2] });
  });
});

vitest("tests are run in order, each on its own, and told as JSON", async () => {
  const order: number[] = [];
  test("one", () => void order.push(1));
  test("two", async () => {
    await Promise.resolve();
    order.push(2);
    fail("no");
  });
  test("three", () => {
    order.push(3);
    throw "a text";
  });
  const { decision } = await runHook(testHook, "preCall", makeRequest());
  wanted(order).toEqual([1, 2, 3]);
  const results: unknown = decision?.kind === "respond" && typeof decision.reply === "string" ? JSON.parse(decision.reply) : undefined;
  wanted(results).toMatchObject([
    { name: "one", ok: true },
    { name: "two", ok: false, error: { name: "Error", message: "no", stack: wanted.stringContaining("testing.test.ts") } },
    { name: "three", ok: false, error: { message: "thrown: a text" } },
  ]);
});
