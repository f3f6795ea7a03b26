import Anthropic from "@anthropic-ai/sdk";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { events } from "../../../sdk/hub/events.ts";
import { encodeMessage } from "../../../sdk/hub/local-message.ts";
import { watchReply } from "../../../plugins/anthropic/reply.ts";
import type { LocalReply } from "../../../sdk/dialect.ts";
import { type ReplyBlock, messageEvents, messageObject } from "../../helpers/events.ts";
import { wholeMessage } from "../../helpers/whole-messages.ts";

const parse = (json: string | undefined): unknown => (json === undefined ? undefined : JSON.parse(json));

function assembled(texts: readonly unknown[]): unknown {
  const assembler = events.assemble();
  for (const event of texts) assembler.push(JSON.parse(typeof event === "string" ? event : JSON.stringify(event)));
  return parse(assembler.message());
}

/** The vendor's own client, served this reply without a network. */
function clientOf(chunks: readonly Uint8Array[], contentType: string): Anthropic {
  const served = async (): Promise<Response> => new Response(Buffer.concat(chunks), { headers: { "content-type": contentType } });
  return new Anthropic({ apiKey: "none", maxRetries: 0, fetch: served });
}

const clientOfReply = (reply: LocalReply): Anthropic => clientOf(reply.chunks, new Map(reply.headers).get("content-type") ?? "");
const request = { model: "claude-sonnet-5-5", max_tokens: 10, messages: [{ role: "user" as const, content: "hi" }] };

const blocks: readonly ReplyBlock[] = [
  { type: "thinking", thinking: "let me see", signature: "c2ln" },
  { type: "text", text: "naïve é😀 and more text than fits into one delta" },
  { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls", big: { nested: [1, null, "x"] } } },
  { type: "tool_use", id: "toolu_2", name: "Noop", input: {} },
];
const usage = { input_tokens: 12, output_tokens: 345, cache_read_input_tokens: 6, cache_creation_input_tokens: 7 };
const message = { blocks, model: "claude-sonnet-5-5", usage };

describe("a message told in events and put together again", () => {
  it("is the same, whatever it holds", () => {
    const isSame = fc.property(wholeMessage, (json) => {
      expect(assembled(events.explode(json) ?? [])).toEqual(parse(json));
    });
    fc.assert(isSame, { numRuns: 2000 });
  });

  it.each(["", '{"cut":"of', "5", '"text"'])("keeps an input that is a text: %j", (input) => {
    const message = { type: "message", content: [{ type: "tool_use", input }] };
    expect(assembled(events.explode(JSON.stringify(message)) ?? [])).toEqual(message);
  });

  it("has its fields in the same order", () => {
    const json = JSON.stringify(messageObject(message));
    const assembler = events.assemble();
    for (const event of events.explode(json) ?? []) assembler.push(JSON.parse(event));
    expect(assembler.message()).toBe(json);
  });

  it("keeps numbers that are too long for a number of the language", () => {
    const long =
      '{"type":"message","content":[{"type":"tool_use","input":{"id":12345678901234567890,"x":1e400,"y":0.12345678901234567891}}],"n":98765432109876543210}';
    const texts = events.explode(long) ?? [];
    const assembler = events.assemble();
    for (const event of texts) assembler.push(JSON.parse(event));
    expect(texts.join("")).toContain("98765432109876543210");
    expect(assembler.message()).toContain('"input":{"id":12345678901234567890,"x":1e400,"y":0.12345678901234567891}');
  });

  it("is what the vendor's client makes of its stream", async () => {
    const json = JSON.stringify(messageObject(message));
    const chunks = (events.explode(json) ?? []).map((event) => events.encode(event));
    const final = await clientOf(chunks, "text/event-stream").messages.stream(request).finalMessage();
    expect(JSON.parse(JSON.stringify(final))).toEqual({ ...JSON.parse(json), parsed_output: null });
    const watch = watchReply("text/event-stream");
    for (const chunk of chunks) watch.push(chunk);
    expect(watch.end()).toMatchObject({
      complete: true,
      usage: { inputTokens: 12, outputTokens: 345, cacheReadTokens: 6, cacheWriteTokens: 7 },
    });
  });

  it.each(["", "{", "[]", "null", '{"type":"error","error":{}}', '{"input_tokens":5}', '"message"'])("is none: %s", (json) => {
    expect(events.explode(json)).toBeUndefined();
  });
});

describe("a message put together from a stream", () => {
  it("is the one that would have come whole", () => {
    for (const deltasPerBlock of [1, 3, 100]) {
      const assembler = events.assemble();
      for (const event of messageEvents({ ...message, deltasPerBlock })) {
        expect(assembler.complete).toBe(false);
        assembler.push(JSON.parse(JSON.stringify(event)));
      }
      expect(assembler.complete).toBe(true);
      expect(parse(assembler.message())).toEqual(messageObject(message));
    }
  });

  it("has the citations, the signature and the compaction of their deltas", () => {
    const start = { type: "message_start", message: { type: "message", content: [], usage: { input_tokens: 3, output_tokens: 1 } } };
    const delta = (index: number, value: unknown): unknown => ({ type: "content_block_delta", index, delta: value });
    const begin = (index: number, block: unknown): unknown => ({ type: "content_block_start", index, content_block: block });
    const told = [
      start,
      { type: "ping" },
      begin(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "a" }),
      delta(0, { type: "citations_delta", citation: { url: "u" } }),
      delta(0, { type: "text_delta", text: "b" }),
      delta(0, { type: "citations_delta", citation: { url: "v" } }),
      begin(1, { type: "thinking", thinking: "", signature: "" }),
      delta(1, { type: "signature_delta", signature: "one" }),
      delta(1, { type: "signature_delta", signature: "two" }),
      begin(2, { type: "compaction", content: null }),
      delta(2, { type: "compaction_delta", content: "summary", encrypted_content: "e" }),
      begin(3, { type: "new_block", level: 1 }),
      delta(3, { type: "new_delta", level: 2 }),
      { type: "message_delta", delta: { stop_reason: "end_turn", content: [] }, usage: { output_tokens: 9, input_tokens: null }, note: 1 },
      { type: "message_stop" },
    ];
    expect(assembled(told)).toEqual({
      type: "message",
      content: [
        { type: "text", text: "ab", citations: [{ url: "u" }, { url: "v" }] },
        { type: "thinking", thinking: "", signature: "two" },
        { type: "compaction", content: "summary", encrypted_content: "e" },
        { type: "new_block", level: 2 },
      ],
      usage: { input_tokens: 3, output_tokens: 9 },
      stop_reason: "end_turn",
      note: 1,
    });
  });

  it("keeps the text of an input that was cut off, and tells it in the same words again", () => {
    const told = messageEvents({
      blocks: [{ type: "tool_use", id: "t", name: "Bash", input: { command: "ls" } }],
      model: "m",
      deltasPerBlock: 2,
    });
    const cut = told.filter((event) => !JSON.stringify(event).includes("ls"));
    const whole = assembled(cut);
    expect(whole).toMatchObject({ content: [{ type: "tool_use", input: '{"comman' }] });
    const again = (events.explode(JSON.stringify(whole)) ?? []).join("");
    expect(again).toContain(JSON.stringify('{"comman'));
  });

  it("is none before it has begun", () => {
    expect(assembled([])).toBeUndefined();
    expect(assembled([{ type: "content_block_start", index: 0, content_block: {} }, { type: "message_stop" }])).toBeUndefined();
    const assembler = events.assemble();
    assembler.push({ type: "message_stop" });
    expect(assembler.complete).toBe(false);
  });
});

describe("a message made here", () => {
  const content = [
    { type: "text", text: "two words" },
    { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } },
  ];

  it.each([true, false])("is accepted by the vendor's client, streamed: %s", async (stream) => {
    const reply = encodeMessage({ content }, { model: "m", stream, inputTokens: 3 });
    const client = clientOfReply(reply);
    const final = stream ? await client.messages.stream(request).finalMessage() : await client.messages.create(request);
    expect(final).toMatchObject({
      type: "message",
      role: "assistant",
      model: "m",
      content,
      stop_reason: "tool_use",
      usage: { input_tokens: 3 },
    });
  });

  it("says why it stopped where it was told", () => {
    const reply = encodeMessage({ content, stop_reason: "refusal" }, { model: "m", stream: false, inputTokens: 3 });
    expect(JSON.parse(Buffer.concat(reply.chunks).toString())).toMatchObject({ stop_reason: "refusal" });
  });
});

describe("an event made by user code", () => {
  it.each(["", "5", "{", '{"a":1}', '{"type":5}', '{"type":"a\\nb"}', '{"type":""}', '{"type":"ping\\ndata: x"}'])(
    "is none: %s",
    (json) => {
      expect(events.read(json)).toBeUndefined();
      expect(() => events.encode(json)).toThrow("no event");
    },
  );

  it("cannot say more on the wire than its JSON says", () => {
    const bytes = Buffer.from(events.encode('{"type":"ping",\n\n"data: ":\r1}')).toString();
    expect(bytes).toBe('event: ping\ndata: {"type":"ping","data: ":1}\n\n');
  });
});

describe("an upstream's error", () => {
  it.each([
    [429, '{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}', "rate_limit_error", "slow down"],
    [529, '{"error":{"message":"busy","code":5}}', "overloaded_error", "busy"],
    [404, '{"error":"no such model"}', "not_found_error", "no such model"],
    [422, '{"detail":"bad field"}', "invalid_request_error", "bad field"],
    [400, '{"message":"bad"}', "invalid_request_error", "bad"],
    [502, "<html>Bad Gateway</html>", "api_error", "<html>Bad Gateway</html>"],
    [503, "", "api_error", "HTTP status 503"],
  ])("of status %i is read from %s", (status, body, type, said) => {
    expect(events.readError(status, Buffer.from(body))).toEqual({ type, message: said });
  });
});
