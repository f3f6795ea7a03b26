import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import { ask } from "../../helpers/client.ts";
import { recordsOf, untilIdle } from "../../helpers/exchanges.ts";
import { startHooked } from "../../helpers/hooked-proxy.ts";
import { cutReply, errorReply, jsonReply, rawReply, streamReply, textReply } from "../../helpers/replies.ts";
import { told } from "../../helpers/user-log.ts";

const looksOn = `onError(error, context) { context.log(JSON.stringify({ ...error, target: context.target?.group })); }`;
const body = (model: string, stream = false): string =>
  JSON.stringify({ model, stream, max_tokens: 5, messages: [{ role: "user", content: "hi" }] });

describe("onError is told", () => {
  it("what an upstream says, and leaves it as it is", async () => {
    const headers = { "retry-after": "7", "x-should-retry": "true" };
    await using hooked = await startHooked({ hooks: { "a.ts": looksOn }, reply: errorReply(529, { message: "busy", headers }) });
    for (const stream of [true, false]) {
      const answer = await hooked.ask(stream);
      expect(answer).toMatchObject({ status: 529, headers });
      expect(answer.json()).toMatchObject({ type: "error", error: { type: "overloaded_error", message: "busy" } });
    }
    const error = { status: 529, type: "overloaded_error", message: "busy", source: "upstream", midStream: false, target: "m" };
    expect(await told(hooked.proxy)).toEqual([error, error]);
  });

  it("as much of a long one as matters, and leaves every byte of it", async () => {
    const long = `<html>${"x".repeat(200_000)}`;
    const reply = rawReply((response) => void response.writeHead(500, { "content-type": "text/html" }).end(long));
    const hook = `onError(error, context) { context.log(JSON.stringify({ ...error, message: error.message.length })); }`;
    await using hooked = await startHooked({ hooks: { "a.ts": hook }, reply });
    const answer = await hooked.ask(false);
    expect(answer.status).toBe(500);
    expect(answer.text).toBe(long);
    expect(await told(hooked.proxy)).toMatchObject([{ status: 500, type: "api_error", message: 4000 }]);
  });

  it("what the proxy says for itself: of a model nobody serves, of an upstream that cannot be reached, of a hook that denied", async () => {
    const hook = `preCall(request) { if (request.model === "denied") return deny(418, "no"); }, ${looksOn}`;
    await using hooked = await startHooked({ hooks: { "a.ts": hook }, reply: cutReply() });
    const statuses = { nobody: 404, m: 502, denied: 418 };
    for (const [model, status] of Object.entries(statuses)) expect(await ask(hooked.proxy.url, body(model))).toMatchObject({ status });
    expect(await told(hooked.proxy)).toMatchObject([
      { status: 404, type: "not_found_error", source: "proxy", midStream: false },
      { status: 502, type: "api_error", source: "proxy", message: expect.stringContaining("could not be reached"), target: "m" },
      { status: 418, message: "no", source: "proxy" },
    ]);
  });

  it("of a stream that broke, or ended with an error, when nothing can be answered any more", async () => {
    const reply = [
      streamReply({ text: "one two three", cutAfter: { events: 4 } }),
      streamReply({ text: "one two three", cutAfter: { events: 4 }, error: { type: "overloaded_error", message: "büsy" } }),
    ];
    const hook = `${looksOn.slice(0, -1)} return respond("too late"); }`;
    await using hooked = await startHooked({ hooks: { "a.ts": hook }, reply });
    for (const _ of reply) expect((await hooked.ask(true)).text).not.toContain("too late");
    expect(await told(hooked.proxy)).toMatchObject([
      { status: 502, type: "api_error", source: "proxy", midStream: true, message: expect.stringContaining("broke off") },
      { status: 529, type: "overloaded_error", message: "büsy", source: "upstream", midStream: true },
    ]);
  });

  it("nothing of a caller that left, of a reply that is none's fault, or twice of anything", async () => {
    const hook = `required: true, onEvent() { throw new Error("oh no"); }, ${looksOn}`;
    await using hooked = await startHooked({
      hooks: { "a.ts": hook },
      reply: [streamReply({ stallAfter: { events: 0 } }), textReply("x")],
    });
    const open = await hooked.open(true);
    open.leave();
    await untilIdle(hooked.proxy);
    await hooked.ask(false);
    expect(await told(hooked.proxy)).toMatchObject([{ status: 503, source: "proxy", midStream: false }]);
  });
});

describe("onError answers in place of", () => {
  const saves = `onError(error) { if (error.status === 429) return deny(400, "asked too often"); return respond("sorry: " + error.message); }`;
  const request = { model: "m", max_tokens: 5, messages: [{ role: "user" as const, content: "hi" }] };

  it.each([true, false])("an upstream's error (stream: %s)", async (isStream) => {
    await using hooked = await startHooked({ hooks: { "a.ts": saves }, reply: errorReply(529, { message: "busy" }) });
    const client = new Anthropic({ apiKey: "none", baseURL: hooked.proxy.url, maxRetries: 0 });
    const message = isStream ? await client.messages.stream(request).finalMessage() : await client.messages.create(request);
    expect(message.content).toEqual([{ type: "text", text: "sorry: busy" }]);
    expect(await recordsOf(hooked.proxy)).toMatchObject([{ outcome: "completed", status: 200 }]);
  });

  it("an error of the proxy's", async () => {
    await using hooked = await startHooked({ hooks: { "a.ts": saves } });
    const answer = await ask(hooked.proxy.url, body("nobody"));
    expect(answer.json()).toMatchObject({ type: "message", content: [{ text: expect.stringContaining("sorry: model: nobody") }] });
  });

  it("an error with another", async () => {
    await using hooked = await startHooked({ hooks: { "a.ts": saves }, reply: errorReply(429) });
    const answer = await hooked.ask(false);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { message: "asked too often" } });
  });

  it("a count of tokens, with a count", async () => {
    await using hooked = await startHooked({ hooks: { "a.ts": saves } });
    hooked.upstream.script(errorReply(500), "POST /v1/messages/count_tokens");
    const answer = await ask(hooked.proxy.url, body("m"), { path: "/v1/messages/count_tokens" });
    expect(answer.json()).toEqual({ input_tokens: expect.any(Number) });
  });

  it("nothing with a tool call, unless it may", async () => {
    const hook = `onError() { return respond({ content: [{ type: "tool_use", id: "t", name: "Evil", input: {} }] }); }`;
    await using hooked = await startHooked({ hooks: { "a.ts": hook }, reply: errorReply(500, { message: "broken" }) });
    expect((await hooked.ask(false)).json()).toMatchObject({ error: { message: "broken" } });
  });
});

it("the first hook that answers is the last one asked", async () => {
  const logs = (decision: string): string =>
    `onError(error, context) { context.log(JSON.stringify({ message: error.message })); ${decision} }`;
  await using hooked = await startHooked({
    hooks: { "a.ts": logs(""), "b.ts": logs('return respond("b");'), "c.ts": logs('return respond("c");') },
    reply: errorReply(500),
  });
  expect((await hooked.ask(false)).json()).toMatchObject({ content: [{ text: "b" }] });
  expect(await told(hooked.proxy)).toHaveLength(2);
});

it("an error whose hook fails stays what it was, or is refused where that failure denies", async () => {
  await using hooked = await startHooked({ hooks: { "a.ts": 'onError() { throw new Error("oh no"); }' }, reply: errorReply(429) });
  expect((await hooked.ask(false)).status).toBe(429);
  await using strict = await startHooked({
    hooks: { "a.ts": 'required: true, onError() { throw new Error("oh no"); }' },
    reply: errorReply(429),
  });
  expect((await strict.ask(false)).status).toBe(503);
});

it("a reply that came well is told to no onError", async () => {
  await using hooked = await startHooked({
    hooks: { "a.ts": looksOn },
    reply: [textReply("x"), textReply("x"), jsonReply({ type: "other" })],
  });
  for (const stream of [true, false, false]) expect((await hooked.ask(stream)).status).toBe(200);
  expect(await told(hooked.proxy)).toEqual([]);
});
