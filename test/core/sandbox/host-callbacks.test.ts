import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { moduleOf, startHost, testContext, type TestHost } from "../../helpers/hook-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.close();
});

const body = { model: "claude-x", messages: [{ role: "user", content: "hello" }], max_tokens: 10 };
const load = async (expression: string) => {
  const [manifest] = await host.load([{ kind: "callback", file: "callbacks.ts", code: moduleOf(expression) }]);
  return manifest;
};
const before = async (method: string, options: object = {}) => {
  await load(`{ ${method} }`);
  return host.outcome({ phase: "preCall", body, ...options });
};

describe("a callback", () => {
  it("tells the phases that its methods stand for", async () => {
    const methods = `async_pre_call_hook() {} async_post_call_success_hook() {} async_post_call_failure_hook() {} async_log_success_event() {} async *async_post_call_streaming_iterator_hook() {}`;
    expect(await load(`class { ${methods} }`)).toMatchObject({ phases: ["preCall", "postCall", "onError", "onComplete", "onEvent"] });
  });

  it("may have names in camel case, and inherit", async () => {
    const expression = `(() => { class Base { asyncPreCallHook(key, cache, data) { data.max_tokens = 1; } } return new (class extends Base {})(); })()`;
    expect(await load(expression)).toMatchObject({ phases: ["preCall"] });
    expect(await host.outcome({ phase: "preCall", body })).toMatchObject({ patch: { o: { max_tokens: { v: "1" } } } });
  });

  it("without any of the methods is told which there are", async () => {
    const manifest = await load(`{ preCall() {} }`);
    expect(manifest?.error?.message).toContain("async_pre_call_hook");
  });

  it("that is a definition of ours is one", async () => {
    expect(await load(`defineHook({ preCall() {} })`)).toMatchObject({ defined: "hook", phases: ["preCall"] });
  });
});

describe("async_pre_call_hook", () => {
  it("gets key, cache, data and the type of the call", async () => {
    const outcome = await before(`async async_pre_call_hook(user_api_key_dict, cache, data, call_type) {
      await cache.async_set_cache("seen", 1);
      console.log([user_api_key_dict.user_id, await cache.async_get_cache("seen"), await cache.async_get_cache("never"), data.model, data.litellm_call_id, data.proxy_server_request.headers["user-agent"], call_type, Object.keys(data)]);
    }`);
    const seen = JSON.parse(outcome.writes?.logs?.[0]?.text ?? "") as unknown;
    expect(seen).toEqual([null, 1, null, "claude-x", "req_1", "test/1", "anthropic_messages", ["model", "messages", "max_tokens"]]);
    expect(outcome.patch).toBeUndefined();
  });

  it.each([
    ["what was changed in place counts", `data.model = "other";`, { patch: { o: { model: { v: '"other"' } } } }],
    ["an object takes the place of the data", `return { ...data, model: "other" };`, { patch: { o: { model: { v: '"other"' } } } }],
    ["what it lacks goes", `const { max_tokens, ...rest } = data; return rest;`, { patch: { o: { max_tokens: null } } }],
    ["a text refuses", `return "not today";`, { decision: { kind: "deny", status: 400, message: "not today" } }],
    ["an error refuses", `return new Error("not today");`, { decision: { kind: "deny", status: 500, message: "not today" } }],
    ["a thrown error refuses", `throw new Error("not today");`, { decision: { kind: "deny", status: 500, message: "not today" } }],
    [
      "an error with a status says it",
      `throw Object.assign(new Error("slow down"), { status_code: 429 });`,
      { decision: { kind: "deny", status: 429, message: "slow down" } },
    ],
    [
      "its detail goes before its message",
      `throw Object.assign(new Error("x"), { statusCode: 403, detail: { error: "no" } });`,
      { decision: { status: 403, message: '{"error":"no"}' } },
    ],
    ["a mistake in the code is none of these", `data.missing.field = 1;`, { error: { kind: "threw", name: "TypeError" } }],
    [
      "a number is told what is wanted",
      `return 3;`,
      { error: { kind: "invalid", message: "async_pre_call_hook returned a number (3); wanted nothing, a text or an object" } },
    ],
  ])("%s", async (_, statements, expected) => {
    expect(await before(`async_pre_call_hook(key, cache, data) { ${statements} }`)).toMatchObject(expected);
    expect(await before(`async async_pre_call_hook(key, cache, data) { await null; ${statements} }`)).toMatchObject(expected);
  });

  it("that returns the data itself has changed nothing", async () => {
    expect(await before(`async_pre_call_hook(key, cache, data) { return data; }`)).toEqual({ unit: 0, us: expect.any(Number) });
  });

  it("knows when only tokens are counted", async () => {
    const outcome = await before(`async_pre_call_hook(key, cache, data, type) { return type; }`, {
      context: { ...testContext, operation: "count_tokens" },
    });
    expect(outcome).toMatchObject({ decision: { message: "acount_tokens" } });
  });
});

describe("the hooks behind the call", () => {
  const reply = JSON.stringify({ id: "msg_1", content: [{ type: "text", text: "hi" }], usage: { output_tokens: 1 } });

  it("async_post_call_success_hook: what it returns takes the place of the reply", async () => {
    await load(
      `{ async_post_call_success_hook(data, key, response) { return { ...response, content: [{ type: "text", text: data.model + "!" }] }; } }`,
    );
    const { patch } = await host.outcome({ phase: "postCall", subject: reply });
    expect(JSON.stringify(patch)).toContain("claude-x!");
    expect(Object.keys((patch as { o: object }).o)).toEqual(["content"]);
  });

  it("async_post_call_success_hook: an error reaches the caller", async () => {
    await load(`{ async async_post_call_success_hook() { throw Object.assign(new Error("withheld"), { status: 451 }); } }`);
    expect(await host.outcome({ phase: "postCall", subject: reply })).toMatchObject({
      decision: { kind: "deny", status: 451, message: "withheld" },
    });
  });

  it.each([
    [`throw Object.assign(new Error("busy"), { status_code: 503 });`, { decision: { kind: "deny", status: 503, message: "busy" } }],
    [`return Object.assign(new Error("busy"), { status_code: 503 });`, { decision: { kind: "deny", status: 503, message: "busy" } }],
    [`throw new Error("ignored");`, { writes: { logs: [{ text: expect.stringContaining("ignored") }] } }],
    [`return new Error("ignored");`, {}],
    [
      `console.log(data.model, original.status_code, original.name, original.message);`,
      { writes: { logs: [{ text: "claude-x 529 overloaded_error too much" }] } },
    ],
  ])("async_post_call_failure_hook: %s", async (statements, expected) => {
    await load(`{ async async_post_call_failure_hook(data, original, key, traceback) { ${statements} } }`);
    const outcome = await host.outcome({
      phase: "onError",
      subject: JSON.stringify({ status: 529, type: "overloaded_error", message: "too much", source: "upstream", midStream: false }),
    });
    expect(outcome).toMatchObject(expected);
    if (!("decision" in expected)) expect(outcome.decision).toBeUndefined();
  });

  it("the log events get what LiteLLM's get, each its own outcome", async () => {
    const completion = {
      outcome: "completed",
      status: 200,
      usage: { inputTokens: 5, outputTokens: 7 },
      costUsd: 0.25,
      totalMs: 2000,
      attempts: 1,
    };
    await load(`{
      async_log_success_event(kwargs, response, start, end) { console.log(["success", kwargs.model, kwargs.response_cost, kwargs.standard_logging_object.total_tokens, response.usage.output_tokens, end - start]); },
      log_failure_event(kwargs) { console.log(["failure", kwargs.exception.message]); } }`);
    const said = async (subject: object) =>
      JSON.parse((await host.outcome({ phase: "onComplete", subject: JSON.stringify(subject) })).writes?.logs?.[0]?.text ?? "") as unknown;
    expect(await said(completion)).toEqual(["success", "claude-x", 0.25, 12, 7, 2000]);
    expect(await said({ ...completion, outcome: "upstream-failed", status: 502 })).toEqual(["failure", "upstream-failed, status 502"]);
  });
});

describe("the hooks on streams", () => {
  const text = (value: string) => JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: value } });
  const stop = '{"type":"message_stop"}';
  let streams = 0;
  const openStream = () => {
    const stream = `callback-${++streams}`;
    let isOpen = false;
    return async (...events: string[]) => {
      const open = isOpen ? {} : { open: { context: testContext, stores: {} } };
      isOpen = true;
      const [outcome] = (await host.events({ streams: [{ stream, units: [0], events, ...open }] })).streams;
      return outcome;
    };
  };
  const readTexts = (outcome: Awaited<ReturnType<ReturnType<typeof openStream>>>) =>
    outcome?.events.map((event) =>
      event === 0 ? 0 : event.map((one) => (JSON.parse(one) as { delta?: { text: string } }).delta?.text ?? "stop"),
    );

  it("async_post_call_streaming_iterator_hook: yields what the client is to get, whatever way the events came", async () => {
    await load(`{ async *async_post_call_streaming_iterator_hook(key, response, data) {
      let count = 0;
      for await (const event of response) {
        count += 1;
        if (event.delta?.text === "drop") continue;
        if (event.delta?.text === "twice") { yield event; yield { ...event, delta: { text: "again" } }; continue; }
        if (event.delta) event.delta.text += count;
        if (event.type === "message_stop") yield { type: "content_block_delta", delta: { text: data.model } };
        yield event;
      } } }`);
    const push = openStream();
    expect(readTexts(await push(text("a")))).toEqual([["a1"]]);
    expect(readTexts(await push(text("drop"), text("twice"), text("b")))).toEqual([[], ["twice", "again"], ["b4"]]);
    expect(readTexts(await push(stop))).toEqual([["claude-x", "stop"]]);
  });

  it("async_post_call_streaming_iterator_hook: events it yields as they came stay as they were", async () => {
    await load(`{ async *async_post_call_streaming_iterator_hook(key, response) { for await (const event of response) yield event; } }`);
    expect((await openStream()(text("a"), stop))?.events).toEqual([0, 0]);
  });

  it("async_post_call_streaming_iterator_hook: what stands behind its loop is yielded with the last event", async () => {
    await load(
      `{ async *async_post_call_streaming_iterator_hook(key, response) { for await (const event of response) if (event.delta) yield event; yield { type: "message_stop", late: true }; } }`,
    );
    expect((await openStream()(text("a"), stop))?.events).toEqual([0, ['{"type":"message_stop","late":true}']]);
  });

  it("async_post_call_streaming_iterator_hook: of two streams do not meet", async () => {
    await load(
      `{ async *async_post_call_streaming_iterator_hook(key, response) { let all = ""; for await (const event of response) { all += event.delta.text; event.delta.text = all; yield event; } } }`,
    );
    const [one, two] = [openStream(), openStream()];
    await one(text("a"));
    expect(readTexts(await two(text("x")))).toEqual([0]);
    expect(readTexts(await one(text("b")))).toEqual([["ab"]]);
  });

  it.each([
    ["throws", `throw new Error("no");`, { kind: "threw", message: "no" }],
    ["waits for ever", `await new Promise(() => {});`, { kind: "deadlock" }],
    ["yields no event", `yield 3;`, { kind: "invalid" }],
  ])("async_post_call_streaming_iterator_hook: that %s leaves the batch as it was", async (_, statement, error) => {
    await load(
      `{ async *async_post_call_streaming_iterator_hook(key, response) { for await (const event of response) { ${statement} } } }`,
    );
    expect(await openStream()(text("a"))).toMatchObject({ events: [0], units: [{ error }] });
  });

  it("async_post_call_streaming_iterator_hook: that is no generator is told so", async () => {
    await load(`{ async async_post_call_streaming_iterator_hook() {} }`);
    expect(await openStream()(text("a"))).toMatchObject({
      units: [{ error: { message: expect.stringContaining("wanted an async generator") } }],
    });
  });

  it("async_post_call_streaming_hook: gets the text so far, and what it returns takes the place of the piece", async () => {
    const manifest = await load(
      `{ async async_post_call_streaming_hook(key, response) { if (response === "ab") return response.toUpperCase(); if (response.endsWith("c")) return null; } }`,
    );
    expect(manifest).toMatchObject({ events: ["content_block_delta"] });
    const push = openStream();
    expect(readTexts(await push(text("a"), text("b")))).toEqual([0, ["AB"]]);
    expect(readTexts(await push(text("c"), stop))).toEqual([0, 0]);
  });
});
