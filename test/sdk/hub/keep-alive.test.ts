import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { keepAliveTest } from "../../../sdk/hub/keep-alive.ts";

const isKeepAlive = keepAliveTest(["event: ping", 'data: {"type":"ping"', 'data: {"type": "ping"']);
const test = (text: string): boolean => isKeepAlive(Buffer.from(text));
const ping = 'event: ping\ndata: {"type": "ping"}\n\n';

describe("what keeps a stream alive", () => {
  it.each([
    ["a ping", ping],
    ["in CRLF", ping.replaceAll("\n", "\r\n")],
    ["in CR", ping.replaceAll("\n", "\r")],
    ["with more to it", 'event: ping\ndata: {"type": "ping", "cost": "0"}\n\n'],
    ["without a name", 'data: {"type":"ping"}\n\n'],
    ["a comment", ": OPENROUTER PROCESSING\n\n"],
    ["a comment of no words", ":\n\n"],
    ["a blank line", "\n"],
    ["blank lines", "\r\n\r\n"],
    ["several of them", `: a\n\n${ping}\n: b\r\n\r\n${ping}`],
    ["a comment in a ping", 'event: ping\n: x\ndata: {"type":"ping"}\n\n'],
  ])("is %s", (_, text) => {
    expect(test(text)).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["the rest of an object, cut before a colon", ': "text"}\n\n'],
    ["the rest of a list", ": 1]\n\n"],
    ["a ping that goes on", 'event: ping\ndata: {"type": "ping"}\n'],
    ["a ping cut in its name", "event: pi"],
    ["a ping without the end of its line", "event: ping"],
    ["a comment that goes on", ": a"],
    ["what may be the rest of a field", ": a\n"],
    ["a ping and the beginning of something", `${ping}event: content_block_delta\n`],
    ["a ping behind something", `data: {}\n\n${ping}`],
    ["another field in a ping", "event: ping\nevent: error\ndata: {}\n\n"],
    ["something", 'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n'],
    ["the end of a word", "ping\n\n"],
    ["more than any ping", `: ${"x".repeat(5000)}\n\n`],
  ])("is not %s", (_, text) => {
    expect(test(text)).toBe(false);
  });

  it("is never a chunk that holds a byte of anything else, however a stream is cut", () => {
    const said =
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a: b"}}\n\n';
    const done = "data: [DONE]\n\n";
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(": a\n\n", ping, "\n", said, done), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (parts, cuts) => {
          const stream = parts.join("");
          // Blank lines at the end of an event are like any others.
          const says = parts.flatMap((part) => Array.from(part, (byte) => (part === said || part === done) && byte !== "\n"));
          const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
          for (const [index, end] of places.slice(1).entries()) {
            const start = places[index] ?? 0;
            const chunk = stream.slice(start, end);
            if (says.slice(start, end).includes(true)) expect([chunk, test(chunk)]).toEqual([chunk, false]);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
