import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openAnswer } from "../../helpers/client.ts";
import { encodeEvent, messageEvents } from "../../helpers/events.ts";
import { traceOf } from "../../helpers/exchanges.ts";
import { deployment, startProxy } from "../../helpers/proxy.ts";
import { rawReply, streamReply, textReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const events = messageEvents({ blocks: [{ type: "text", text: "Once upon a time there was" }], model: "m", deltasPerBlock: 3 });
const question = { model: "m", max_tokens: 50, messages: [{ role: "user" as const, content: "Tell me." }] };

let one: Upstream;
let other: Upstream;

beforeEach(async () => {
  [one, other] = await Promise.all([startUpstream(), startUpstream()]);
});

afterEach(() => Promise.all([one.close(), other.close()]));

/** Two deployments that can go on from a text, asked in this order. */
function models(info: Readonly<Record<string, unknown>> = { supports_assistant_prefill: true }): readonly unknown[] {
  return [one, other].map(({ url }, index) => ({
    ...(deployment("m", url, { order: index + 1 }) as object),
    model_info: { id: index === 0 ? "one" : "other", ...info },
  }));
}

describe("a text that breaks off behind its first words", () => {
  it.each(["close", "finish"] as const)("is gone on with by the other deployment, as one message (%s)", async (cut) => {
    await using proxy = await startProxy({ config: { model_list: models(), router_settings: { stream_resume: true } } });
    one.script(streamReply({ events, cutAfter: { events: 5 }, cut }));
    other.script(textReply(" a proxy."));
    const client = new Anthropic({ baseURL: proxy.url, apiKey: "none", maxRetries: 0 });
    const message = await client.messages.stream(question).finalMessage();
    expect(message).toMatchObject({ content: [{ type: "text", text: "Once upon a time t a proxy." }], stop_reason: "end_turn" });
    expect([one.requests.length, other.requests.length]).toEqual([1, 1]);
    expect(other.requests[0]?.json()).toMatchObject({
      messages: [...question.messages, { role: "assistant", content: "Once upon a time t" }],
    });
  });

  it.each([
    ["nobody is said to go on", { supports_assistant_prefill: false }, true],
    ["it is not asked for", { supports_assistant_prefill: true }, false],
  ])("is the error of the protocol where %s", async (_, info, isAsked) => {
    await using proxy = await startProxy({ config: { model_list: models(info), router_settings: { stream_resume: isAsked } } });
    one.script(streamReply({ events, cutAfter: { events: 5 }, cut: "close" }));
    const answer = await openAnswer(proxy.url, JSON.stringify({ ...question, stream: true }));
    expect(await answer.ended).toBe("clean");
    expect(answer.text).toContain("event: error");
    expect(other.requests).toEqual([]);
  });
});

describe("an answer whose client has left", () => {
  /** Answers with the first events, then with what the test sends. */
  function takeOver(): {
    readonly begun: Promise<void>;
    send(from: number): void;
    readonly closed: Promise<void>;
    readonly ended: () => boolean;
  } {
    const begun = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    let isEnded = false;
    let rest: (from: number) => void = () => undefined;
    one.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (const event of events.slice(0, 4)) response.write(encodeEvent(event));
        response.once("close", () => closed.resolve());
        rest = (from) => {
          for (const event of events.slice(from)) response.write(encodeEvent(event));
          response.end(() => (isEnded = true));
        };
        begun.resolve();
      }),
    );
    return { begun: begun.promise, send: (from) => rest(from), closed: closed.promise, ended: () => isEnded };
  }

  it.each([
    ["is broken off", undefined, false],
    ["is read to its end where the configuration says so", "drain", true],
  ])("%s", async (_, how, isRead) => {
    const [first] = models();
    await using proxy = await startProxy({
      config: { model_list: [first], ...(how === undefined ? {} : { router_settings: { on_disconnect: how } }) },
    });
    const host = takeOver();
    const answer = await openAnswer(proxy.url, JSON.stringify({ ...question, stream: true }));
    await host.begun;
    await answer.until("content_block_delta");
    answer.leave();
    if (isRead) {
      // The exchange has ended; its upstream has not.
      while (!(await traceOf(proxy, answer).catch(() => undefined))) await Promise.resolve();
      host.send(4);
    }
    await host.closed;
    expect(host.ended()).toBe(isRead);
    await proxy.stop(1000);
    const noted = (await proxy.logLines()).filter(({ msg }) => String(msg).includes("nobody waits for"));
    expect(noted).toHaveLength(isRead ? 1 : 0);
    if (isRead) expect(noted[0]).toMatchObject({ inputTokens: 10, outputTokens: 1 });
  });
});
