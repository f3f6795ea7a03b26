import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AnthropicEventSplitter } from "../../../sdk/hub/event-splitter.ts";
import type { StreamEvent } from "../../../sdk/events.ts";
import { encodeEvent, messageEvents, type WireEvent } from "../../helpers/events.ts";

const told = messageEvents({
  blocks: [
    { type: "thinking", thinking: "hm", signature: "c2ln" },
    { type: "text", text: "naïve é😀 日本語 \u2028 \u0085 done" },
    { type: "tool_use", id: "t", name: "Bash", input: { command: "ls\n\r\n" } },
  ],
  model: "claude-sonnet-5-5",
});

function split(...chunks: readonly (string | Uint8Array)[]): StreamEvent[] {
  const splitter = new AnthropicEventSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
}

const valuesOf = (events: readonly StreamEvent[]): unknown[] => events.filter(({ type }) => type !== "").map(({ value }) => value);
const rawOf = (events: readonly StreamEvent[]): string => Buffer.concat(events.map(({ raw }) => raw)).toString("latin1");

/** Cuts bytes at these places. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

/** The same events in the ways that servers write them. */
const spellings: Readonly<Record<string, (events: readonly WireEvent[]) => string>> = {
  "as the vendor writes it": (events) => events.map(encodeEvent).join(""),
  "with CRLF": (events) => events.map(encodeEvent).join("").replaceAll("\n", "\r\n"),
  "with CR": (events) => events.map(encodeEvent).join("").replaceAll("\n", "\r"),
  "with all three": (events) =>
    events
      .map((event, index) =>
        encodeEvent(event)
          .toString()
          .replaceAll("\n", ["\n", "\r\n", "\r"][index % 3] ?? ""),
      )
      .join(""),
  "without names": (events) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
  "without spaces": (events) => events.map((event) => `event:${event.type}\ndata:${JSON.stringify(event)}\n\n`).join(""),
  "with the type in the name only": (events) =>
    events.map(({ type, ...event }) => `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
  "with data in many lines": (events) =>
    events
      .map(
        (event) =>
          `event: ${event.type}\n${JSON.stringify(event, null, 1)
            .split("\n")
            .map((line) => `data: ${line}`)
            .join("\n")}\n\n`,
      )
      .join(""),
  "with a mark of the byte order, comments, ids and empty lines": (events) =>
    `\uFEFF: hello\n\n\n${events.map((event) => `: note\nid: 7\n${encodeEvent(event).toString()}\n`).join(": alive\n\n")}`,
};

describe.each(Object.entries(spellings))("a stream written %s", (_, write) => {
  const bytes = Buffer.from(write(told));

  it("gives its events", () => {
    expect(valuesOf(split(bytes))).toEqual(told);
  });

  it("gives the same events and the same bytes, however the chunks fall", () => {
    const whole = split(bytes);
    const cuts = fc.array(fc.nat({ max: bytes.length - 1 }), { maxLength: 40 });
    const isSame = fc.property(cuts, (at) => {
      const events = split(...cut(bytes, at));
      expect(rawOf(events)).toBe(bytes.toString("latin1"));
      expect(valuesOf(events)).toEqual(valuesOf(whole));
    });
    fc.assert(isSame, { numRuns: 100 });
    const single = split(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
    expect(rawOf(single)).toBe(bytes.toString("latin1"));
    expect(valuesOf(single)).toEqual(valuesOf(whole));
  });

  it("hands over an event with the byte that completes it", () => {
    const splitter = new AnthropicEventSplitter();
    const late: number[] = [];
    const ends = new Set<number>();
    let length = 0;
    for (const event of split(bytes)) {
      length += event.raw.length;
      if (event.type !== "") ends.add(length);
    }
    for (const at of bytes.keys()) {
      const given = splitter.push(bytes.subarray(at, at + 1)).filter(({ type }) => type !== "");
      // A lone CR may be followed by its LF, and belongs to the event after only then.
      if (given.length > 0 && !ends.has(at + 1)) late.push(at);
    }
    expect(late).toEqual([]);
  });
});

describe("any bytes at all", () => {
  const soup = fc.array(
    fc.constantFrom(
      "\n",
      "\r",
      "\r\n",
      "data: ",
      'data: {"type":"ping"}',
      "event: ping",
      ":",
      "x",
      "é",
      "\uFEFF",
      '{"type":1}',
      "data: [1]",
    ),
    { maxLength: 40 },
  );

  it("come out again in order", () => {
    const isKept = fc.property(soup, fc.array(fc.nat({ max: 400 }), { maxLength: 10 }), (parts, at) => {
      const bytes = Buffer.from(parts.join(""));
      if (bytes.length === 0) return;
      expect(rawOf(split(...cut(bytes, at)))).toBe(bytes.toString("latin1"));
    });
    fc.assert(isKept, { numRuns: 500 });
  });

  it("that are no UTF-8 come out as they went in", () => {
    const broken = Buffer.concat([Buffer.from('data: {"type":"x","text":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}\n\n')]);
    const [event] = split(broken);
    expect(event?.type).toBe("x");
    expect(Buffer.from(event?.raw ?? []).equals(broken)).toBe(true);
  });
});

describe("an event", () => {
  it.each(["\n\n", "\r\n\r\n", "\r\r", "\n\r\n", "\r\r\n", "\r\n\r"])("ends with the whole of its line breaks: %j", (ending) => {
    const text = `data: {"type":"a"}${ending}`;
    const [first, second] = split(`${text}data: {"type":"b"}\n\n`);
    expect([Buffer.from(first?.raw ?? []).toString(), second?.type]).toEqual([text, "b"]);
  });

  it("is read behind a mark of the byte order, wherever that stands", () => {
    const marked = '\uFEFFdata: {"type":"a"}\n\n\uFEFFevent: b\ndata: {}\n\n';
    expect(split(marked).map(({ type }) => type)).toEqual(["a", "b"]);
  });
});

describe("what tells nothing", () => {
  it.each([
    ": a comment\n\n",
    "\n",
    "data: [DONE]\n\n",
    "data: [1]\n\n",
    "data: {broken\n\n",
    "event: ping\n\n",
    'data: {"a":1}\n\n',
    "data\n\n",
  ])("is bytes only: %j", (text) => {
    expect(split(text)).toEqual([{ raw: Buffer.from(text), type: "", data: "", value: undefined }]);
  });
});

describe("the end of a stream", () => {
  it("gives an event that was cut off as bytes", () => {
    const [, second] = split('event: ping\ndata: {"type":"ping"}\n\n', 'event: ping\ndata: {"type":"pi');
    expect(second).toEqual({ raw: Buffer.from('event: ping\ndata: {"type":"pi'), type: "", data: "", value: undefined });
  });

  it("gives an event that lacks nothing but its empty line, for clients that would take it", () => {
    for (const text of ['data: {"type":"ping"}', 'data: {"type":"ping"}\n', 'data: {"type":"ping"}\r\n\r']) {
      expect(split(text)).toMatchObject([{ type: "ping", data: '{"type":"ping"}' }]);
    }
  });
});

it("an event without end is refused before it fills the memory", () => {
  const splitter = new AnthropicEventSplitter(1000);
  splitter.push(Buffer.from("data: "));
  expect(() => Array.from({ length: 20 }, () => splitter.push(Buffer.alloc(100, "x")))).toThrow(/more than 1000 bytes/);
});
