import { afterEach, describe, expect, test } from "vitest";

import type { ReplyEnd } from "../../../core/stream/last-word.ts";
import { gemini } from "../../../plugins/gemini/index.ts";
import { openaiChat } from "../../../plugins/openai-chat/index.ts";
import { openaiResponses } from "../../../plugins/openai-responses/index.ts";
import { openAnswer } from "../../helpers/client.ts";
import { closeServed, serve } from "../../helpers/drained.ts";
import { ingressOf } from "../../helpers/openings.ts";

afterEach(() => closeServed());

const bytes = (text: string): Buffer => Buffer.from(text);
const event = (type: string, rest: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;

/** A reply whose end nobody may see before the gate is open. */
function gated(): { readonly told: Promise<ReplyEnd>; readonly open: () => void; readonly beforeEnd: (end: ReplyEnd) => Promise<void> } {
  const told = Promise.withResolvers<ReplyEnd>();
  const gate = Promise.withResolvers<void>();
  return {
    told: told.promise,
    open: () => gate.resolve(),
    beforeEnd(end) {
      told.resolve(end);
      return gate.promise;
    },
  };
}

const dialects = {
  messages: {
    ingress: undefined,
    before: [
      event("message_start", { message: { usage: { input_tokens: 3, output_tokens: 1 } } }),
      event("message_delta", { usage: { output_tokens: 9 } }),
    ],
    last: event("message_stop"),
    usage: { inputTokens: 3, outputTokens: 9 },
  },
  chat: {
    ingress: ingressOf(openaiChat),
    before: [`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 9 } })}\n\n`],
    last: "data: [DONE]\n\n",
    usage: { inputTokens: 3, outputTokens: 9 },
  },
  responses: {
    ingress: ingressOf(openaiResponses),
    before: [event("response.created", { response: { id: "r" } })],
    last: event("response.completed", { response: { id: "r", usage: { input_tokens: 3, output_tokens: 9, total_tokens: 12 } } }),
    usage: { inputTokens: 3, outputTokens: 9 },
  },
  gemini: {
    ingress: ingressOf(gemini),
    before: [`data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: "a" }] } }] })}\r\n\r\n`],
    last: `data: ${JSON.stringify({ candidates: [{ finishReason: "STOP" }], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 9 } })}\r\n\r\n`,
    usage: { inputTokens: 3, outputTokens: 9 },
  },
} as const;

describe.each(Object.entries(dialects))("the end of a stream (%s)", (_, { ingress, before, last, usage }) => {
  test("goes out when everything else is done", async () => {
    const gate = gated();
    const { base, queue } = await serve("stream", [], { ...(ingress === undefined ? {} : { ingress }), beforeEnd: gate.beforeEnd });
    const answer = await openAnswer(base, undefined);
    for (const each of before) queue.push(bytes(each));
    await answer.until(before.join("").trim());
    queue.push(bytes(last));
    queue.end();
    const end = await gate.told;
    expect(end.summary).toMatchObject({ complete: true, usage });
    expect(answer.text).toBe(before.join(""));
    gate.open();
    await answer.ended;
    expect(answer.text).toBe(before.join("") + last);
  });
});

test("an answer that speaks of its own end is not at it", async () => {
  let times = 0;
  const { base, queue } = await serve("stream", [], { beforeEnd: () => void (times += 1) });
  const answer = await openAnswer(base, undefined);
  const speaking = event("content_block_delta", { delta: { text: 'they say {"type":"message_stop"} and message_stop' } });
  queue.push(bytes(speaking));
  await answer.until(speaking.trim());
  expect(times).toBe(0);
  queue.push(bytes(event("message_stop")));
  queue.end();
  await answer.ended;
  expect(times).toBe(1);
});

test("an end that arrives in two pieces is seen", async () => {
  let isOpen = false;
  const { base, queue } = await serve("stream", [], { beforeEnd: () => void (isOpen = true) });
  const answer = await openAnswer(base, undefined);
  const stop = event("message_stop");
  queue.push(bytes(stop.slice(0, 20)));
  await answer.until(stop.slice(0, 20));
  expect(isOpen).toBe(false);
  queue.push(bytes(stop.slice(20)));
  await answer.until(stop.trim());
  expect(isOpen).toBe(true);
  queue.end();
  await answer.ended;
});

test("a stream that is cut off has no end to be told of", async () => {
  let times = 0;
  const { base, queue, drained } = await serve("stream", [], { beforeEnd: () => void (times += 1) });
  const answer = await openAnswer(base, undefined);
  queue.push(bytes(event("message_start", { message: { usage: { input_tokens: 3, output_tokens: 1 } } })));
  queue.end();
  await answer.ended;
  expect(await drained).toMatchObject({ failure: expect.any(Error), bytes: expect.any(Number) });
  expect(times).toBe(0);
});

test("the last piece of a reply in one piece waits, those before it do not", async () => {
  const gate = gated();
  const { base, queue } = await serve("json", [], { beforeEnd: gate.beforeEnd });
  queue.push(bytes('{"usage":{"input_tokens":3,'));
  queue.push(bytes('"output_tokens":9}}'));
  queue.end();
  const answer = await openAnswer(base, undefined);
  expect((await gate.told).summary).toMatchObject({ usage: { inputTokens: 3, outputTokens: 9 } });
  await answer.until('{"usage"');
  expect(answer.text).toBe('{"usage":{"input_tokens":3,');
  gate.open();
  await answer.ended;
  expect(answer.text).toBe('{"usage":{"input_tokens":3,"output_tokens":9}}');
});
