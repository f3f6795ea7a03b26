import { describe, expect, it } from "vitest";

import { ask } from "../../helpers/client.ts";
import { untilIdle } from "../../helpers/exchanges.ts";
import { startHooked } from "../../helpers/hooked-proxy.ts";
import { cutReply, errorReply, streamReply, textReply } from "../../helpers/replies.ts";
import { told } from "../../helpers/user-log.ts";

const tells = `onComplete(completion, context) { context.log(JSON.stringify({ ...completion, label: context.label ?? null, operation: context.operation })); }`;
const usage = { input_tokens: 10, output_tokens: 20, cache_read_input_tokens: 3, cache_creation_input_tokens: 4 };
const modelInfo = {
  input_cost_per_token: 0.000001,
  output_cost_per_token: "1e-05",
  cache_read_input_token_cost: 0.0000001,
  cache_creation_input_token_cost: 0.00000125,
};

describe("onComplete is told of", () => {
  it("a request that was answered: usage, cost, times and attempts", async () => {
    for (const stream of [true, false]) {
      await using hooked = await startHooked({ hooks: { "a.ts": tells }, reply: textReply("hello", usage), modelInfo });
      await hooked.ask(stream);
      const [completion, ...more] = await told(hooked.proxy);
      expect(more).toEqual([]);
      expect(completion).toMatchObject({
        outcome: "completed",
        status: 200,
        usage: { inputTokens: 10, outputTokens: 20, cacheReadTokens: 3, cacheWriteTokens: 4 },
        attempts: 1,
        operation: "generate",
      });
      expect(completion?.["costUsd"]).toBeCloseTo(0.00001 + 0.0002 + 0.0000003 + 0.000005, 12);
      const { firstByteMs, totalMs } = completion as { firstByteMs: number; totalMs: number };
      expect(firstByteMs).toBeGreaterThan(0);
      expect(totalMs).toBeGreaterThanOrEqual(firstByteMs);
    }
  });

  it("an answer whose price is not known", async () => {
    await using hooked = await startHooked({
      hooks: { "a.ts": tells },
      reply: textReply("hello", usage),
      modelInfo: { input_cost_per_token: 1 },
    });
    await hooked.ask(false);
    expect(await told(hooked.proxy)).toMatchObject([{ costUsd: null, usage: { inputTokens: 10 } }]);
  });

  it("every other end: an upstream's error, no upstream, no such model, a refusal, a stream that broke", async () => {
    const hook = `preCall(request) { if (request.model === "denied") return deny(403, "no"); if (request.model === "answered") return respond("here"); }, ${tells}`;
    await using hooked = await startHooked({
      hooks: { "a.ts": hook },
      // A connection that was used before gets a second chance.
      reply: [errorReply(429), cutReply(), cutReply(), streamReply({ text: "one two three", cutAfter: { events: 4 } })],
      modelInfo,
    });
    const send = (model: string): Promise<unknown> => ask(hooked.proxy.url, JSON.stringify({ model, max_tokens: 1, messages: [] }));
    for (const model of ["m", "m", "nobody", "denied", "answered"]) await send(model);
    await hooked.ask(true);
    expect(await told(hooked.proxy)).toMatchObject([
      { outcome: "completed", status: 429, attempts: 1, costUsd: null },
      { outcome: "upstream-failed", status: 502, attempts: 2, costUsd: null },
      { outcome: "refused", status: 404, attempts: 0, costUsd: 0 },
      { outcome: "refused", status: 403, attempts: 0, costUsd: 0 },
      { outcome: "completed", status: 200, attempts: 0, costUsd: 0 },
      { outcome: "upstream-failed", status: 200, attempts: 1 },
    ]);
  });

  it("a caller that left, and a stop", async () => {
    await using hooked = await startHooked({
      hooks: { "a.ts": tells },
      reply: streamReply({ text: "one two three", stallAfter: { events: 4 } }),
    });
    const first = await hooked.open(true);
    await first.until("one");
    first.leave();
    await untilIdle(hooked.proxy);
    const second = await hooked.open(true);
    await second.until("one");
    await hooked.proxy.stop(0);
    expect(await told(hooked.proxy)).toMatchObject([{ outcome: "client-gone" }, { outcome: "stopped" }]);
  });

  it("a request of a program that is in force no more", async () => {
    const more = Promise.withResolvers<void>();
    const reply = streamReply({ text: "one two three", stallAfter: { events: 4 }, stallUntil: more.promise });
    await using hooked = await startHooked({ hooks: { "a.ts": tells }, reply });
    const open = await hooked.open(true);
    await open.until("one");
    await hooked.proxy.write("hooks/a.ts", 'import { defineHook } from "ccproxy/sdk"; export default defineHook({ preCall() {} });');
    await hooked.proxy.reload();
    more.resolve();
    await open.ended;
    expect(await told(hooked.proxy)).toMatchObject([{ outcome: "completed" }]);
  });
});

it("nothing waits for it but a stop", async () => {
  const hook = `onComplete(completion, context) { const end = Date.now() + 800; while (Date.now() < end); context.log("done"); }`;
  await using hooked = await startHooked({ hooks: { "a.ts": hook }, entries: { "a.ts": { slice_ms: 1000 } }, reply: textReply("hello") });
  expect((await hooked.ask(false)).status).toBe(200);
  await hooked.proxy.stop(5000);
  const lines = (await hooked.proxy.logLines()).map(({ msg, text }) => text ?? msg);
  // The record of the request waits too: what the hook notes belongs to it.
  expect(lines.slice(-4)).toEqual(["stopping", "done", "request", "stopped"]);
});

it("a stop that cannot wait for it loses no record of a request", async () => {
  const hook = `onComplete() { const end = Date.now() + 900; while (Date.now() < end); }`;
  await using hooked = await startHooked({ hooks: { "a.ts": hook }, entries: { "a.ts": { slice_ms: 1000 } }, reply: textReply("hello") });
  expect((await hooked.ask(false)).status).toBe(200);
  await hooked.proxy.stop(0);
  const lines = await hooked.proxy.logLines();
  expect(lines.filter(({ msg }) => msg === "request")).toHaveLength(1);
});

it("it comes last, and sees what the phases before it wrote", async () => {
  const hook = `
    onEvent(event, context) { context.locals.set("types", [...(context.locals.get("types") ?? []), event.type]); },
    postCall(reply, context) { context.locals.set("post", context.locals.get("types").length); },
    onComplete(completion, context) { context.log(JSON.stringify({ post: context.locals.get("post"), last: context.locals.get("types").at(-1) })); }`;
  for (const stream of [true, false]) {
    await using hooked = await startHooked({ hooks: { "a.ts": hook }, reply: textReply("x") });
    await hooked.ask(stream);
    expect(await told(hooked.proxy)).toEqual([{ post: stream ? 7 : 6, last: "message_stop" }]);
  }
});

it("one hook that fails does not keep the others from being told", async () => {
  await using hooked = await startHooked({
    hooks: { "a.ts": 'required: true, onComplete() { throw new Error("oh no"); }', "b.ts": tells, "c.ts": tells },
    reply: textReply("x"),
  });
  await hooked.ask(false);
  expect(await told(hooked.proxy)).toHaveLength(2);
});
