import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { watchReply } from "../../../plugins/anthropic/reply.ts";
import type { ReplySummary, ReplyWatch } from "../../../sdk/dialect.ts";
import { encodeEvent, messageEvents, messageObject, type ReplyMessage } from "../../helpers/events.ts";

const message: ReplyMessage = {
  blocks: [{ type: "text", text: 'a "usage" of é😀 and "type":"message_stop", event: error\n'.repeat(200) }],
  model: "claude-sonnet-5-5",
  usage: { input_tokens: 12, output_tokens: 345, cache_read_input_tokens: 6, cache_creation_input_tokens: 7 },
};
const usage = { inputTokens: 12, outputTokens: 345, cacheReadTokens: 6, cacheWriteTokens: 7 };
const events = messageEvents(message).map(encodeEvent);
const stream = Buffer.concat(events);

function watching(...chunks: readonly (string | Uint8Array)[]): ReplyWatch {
  const watch = watchReply("text/event-stream");
  for (const chunk of chunks) watch.push(Buffer.from(chunk));
  return watch;
}

const summaryOf = (...chunks: readonly (string | Uint8Array)[]): ReplySummary => watching(...chunks).end();

/** Cuts bytes at these places. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

describe("the end of a stream", () => {
  it("is seen, with its usage, however the bytes are cut", () => {
    const cuts = fc.array(fc.nat({ max: stream.length - 1 }), { maxLength: 30 });
    const isSeen = fc.property(cuts, (at) => {
      expect(summaryOf(...cut(stream, at))).toEqual({ complete: true, error: undefined, usage });
    });
    fc.assert(isSeen, { numRuns: 300 });
    const watch = watching();
    for (const position of stream.keys()) watch.push(stream.subarray(position, position + 1));
    expect(watch.end()).toEqual({ complete: true, error: undefined, usage });
  });

  it("is told of without what went by: chunks are not kept", () => {
    const chunks = cut(stream, [5, 900, 1500]).map((chunk) => Buffer.from(chunk));
    const watch = watching();
    for (const chunk of chunks) {
      watch.push(chunk);
      chunk.fill(0);
    }
    expect(watch.end()).toEqual({ complete: true, error: undefined, usage });
  });

  it("is not seen when the last event is missing, or only begun", () => {
    expect(summaryOf(...events.slice(0, -1)).complete).toBe(false);
    for (const begun of ["event: mess", "event: message_stop", "event: message_stop\n", 'event: message_stop\ndata: {"type":"mess']) {
      expect([begun, summaryOf(...events.slice(0, -1), begun).complete]).toEqual([begun, false]);
    }
  });

  it("is seen in CRLF, without event names, and with spaces in its data", () => {
    const crlf = stream.toString().replaceAll("\n", "\r\n");
    const nameless = stream.toString().replace(/^event: .*\n/gm, "");
    for (const text of [crlf, nameless, nameless.replaceAll('"type":"message_stop"', '"type": "message_stop"')]) {
      expect(summaryOf(text).complete).toBe(true);
    }
    expect(summaryOf('event:message_stop\ndata:{ "type" : "message_stop" }\n\n').complete).toBe(true);
  });

  it("is not taken from the text of the answer", () => {
    expect(summaryOf(...events.slice(0, 4))).toMatchObject({ complete: false, error: undefined });
  });

  it("of an empty stream was not seen", () => {
    expect(summaryOf()).toEqual({ complete: false, error: undefined, usage: undefined });
  });
});

describe("an error event", () => {
  const error = (body: string): string => `event: error\ndata: ${body}\n\n`;

  it.each([
    ['{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "overloaded_error"],
    ['{"type": "error", "error": {"message": "Overloaded {now}", "type": "overloaded_error"}}', "overloaded_error"],
    ['{"error":"something else"}', "error"],
  ])("%s is told by its type", (body, type) => {
    for (const at of [0, 1, 5]) expect(summaryOf(...events.slice(0, at), error(body))).toMatchObject({ complete: false, error: type });
  });

  it("is seen without its name too", () => {
    const nameless = 'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    expect(summaryOf(...events.slice(0, 3), nameless).error).toBe("overloaded_error");
  });
});

describe("the usage", () => {
  it("of the first event stands for what the last one leaves out", () => {
    const start = 'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}\n\n';
    const middle = encodeEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x".repeat(9000) } });
    const end =
      'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":9}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n';
    expect(summaryOf(start, middle, end).usage).toEqual({
      inputTokens: 5,
      outputTokens: 9,
      cacheReadTokens: undefined,
      cacheWriteTokens: undefined,
    });
    expect(summaryOf(start, middle).usage).toMatchObject({ inputTokens: 5, outputTokens: 1 });
  });

  it("of a plain reply is found at its end, whatever the answer says about usage", () => {
    const object = messageObject({
      ...message,
      blocks: [...message.blocks, { type: "tool_use", id: "t", name: "n", input: { usage: { input_tokens: 999 } } }],
    });
    for (const text of [JSON.stringify(object), JSON.stringify(object, null, 2)]) {
      const watch = watchReply("application/json");
      for (const piece of cut(Buffer.from(text), [3, 77, 5000])) watch.push(piece);
      expect(watch.end()).toEqual({ complete: true, error: undefined, usage });
    }
  });

  it.each(['{"usage":', '{"usage":{"input_tokens":"many"}}', '{"usage":{"input_tokens":-1}}', '{"usage":{broken}}', '{"usage":null}', ""])(
    "that makes no sense is left out: %s",
    (text) => {
      const watch = watchReply("application/json");
      watch.push(Buffer.from(text));
      expect(watch.end().usage?.inputTokens).toBeUndefined();
    },
  );
});

describe("a place between two events", () => {
  it.each(["", "event: a\ndata: 1\n\n", "data: 1\r\n\r\n", "data: 1\r\r", "data: 1\n\r\n", ": a comment\n\n"])("is %j", (text) => {
    expect(watching(text).betweenEvents()).toBe(true);
  });

  it.each(["event: a\n", "data: 1", "data: 1\n", "data: 1\r\n", "data: 1\r\n\r", "data: 1\n\nd", ": a comment\n", "\n\nevent: b\r\n"])(
    "is not %j",
    (text) => {
      expect(watching(text).betweenEvents()).toBe(false);
    },
  );

  it("is told the same whatever the chunks", () => {
    const crlf = Buffer.from(stream.toString().replaceAll("\n", "\r\n"));
    for (const bytes of [stream, crlf]) {
      const ends = new Set<number>();
      let at = 0;
      for (const part of bytes.toString().split(/(?<=\n\n|\r\n\r\n)/)) ends.add((at += Buffer.byteLength(part)));
      const watch = watchReply("text/event-stream");
      for (let position = 1; position <= bytes.length; position++) {
        watch.push(bytes.subarray(position - 1, position));
        if (watch.betweenEvents() !== ends.has(position)) expect.fail(`at byte ${position}`);
      }
    }
  });
});
