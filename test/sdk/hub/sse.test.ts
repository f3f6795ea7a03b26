import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SseFields, SseReader, SseSplitter } from "../../../sdk/hub/sse.ts";

/** As the standard reads a whole text: https://html.spec.whatwg.org/multipage/server-sent-events.html */
function reference(text: string): readonly SseFields[] {
  const events: SseFields[] = [];
  let name = "";
  let data: string[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  // What follows the last line break is no line unless something stands there.
  if (lines.at(-1) === "") lines.pop();
  const dispatch = (): void => {
    if (data.length > 0 || name !== "") events.push({ name, data: data.join("\n") });
    name = "";
    data = [];
  };
  for (const line of lines) {
    if (line === "") dispatch();
    const [, field, value] = /^(event|data): ?(.*)$/s.exec(line) ?? [];
    if (field === "event") name = value ?? "";
    if (field === "data") data.push(value ?? "");
  }
  dispatch();
  return events.filter((event) => event.data !== "" || event.name !== "");
}

function read(bytes: Uint8Array, cuts: readonly number[]): readonly SseFields[] {
  const reader = new SseReader();
  const events: SseFields[] = [];
  let start = 0;
  for (const cut of [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((one, other) => one - other)) {
    events.push(...reader.push(bytes.subarray(start, cut)));
    start = cut;
  }
  return [...events, ...reader.push(bytes.subarray(start)), ...reader.end()];
}

const line = fc.oneof(
  fc.string({ maxLength: 8 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, "")}`),
  fc.constantFrom(
    "data:",
    "data",
    "data:  two blanks",
    'data: {"text":"日本 🎉"}',
    "event: ping",
    "event:x",
    "id: 7",
    "retry: 10",
    ": comment",
    ":",
  ),
);
const stream = fc
  .array(fc.tuple(fc.array(line, { maxLength: 4 }), fc.constantFrom("\n", "\r\n", "\r"), fc.integer({ min: 1, max: 3 })), { maxLength: 6 })
  .map((events) => events.map(([lines, ending, blanks]) => lines.map((text) => text + ending).join("") + ending.repeat(blanks)).join(""));

describe("server-sent events", () => {
  it("are read as the standard has it, wherever the chunks fall", () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
        expect(read(Buffer.from(text), cuts)).toEqual(reference(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("are read byte by byte", () => {
    const text = ': hello\r\n\r\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata: {"x":"é🎉"}\r\rdata: last';
    const expected = [
      { name: "a", data: "1\n2" },
      { name: "", data: '{"x":"é🎉"}' },
      { name: "", data: "last" },
    ];
    const bytes = Buffer.from(text);
    expect(
      read(
        bytes,
        Array.from(bytes, (_, at) => at),
      ),
    ).toEqual(expected);
  });

  it("come as soon as they are complete, an event that ends in CRLF with its last byte", () => {
    const reader = new SseReader();
    expect(reader.push(Buffer.from("data: 1\r\n\r"))).toEqual([]);
    expect(reader.push(Buffer.from("\n"))).toEqual([{ name: "", data: "1" }]);
    expect(reader.push(Buffer.from("data: 2\n\n"))).toEqual([{ name: "", data: "2" }]);
    expect(reader.push(Buffer.from("data: 3\r\r"))).toEqual([{ name: "", data: "3" }]);
  });

  it("may begin with a byte order mark", () => {
    expect(read(Buffer.from("\uFEFFdata: 1\n\n"), [1])).toEqual([{ name: "", data: "1" }]);
  });

  it("lose no byte when they are split", () => {
    fc.assert(
      fc.property(stream, fc.nat(400), (text, cut) => {
        const bytes = Buffer.from(text);
        const splitter = new SseSplitter();
        const parts = [...splitter.push(bytes.subarray(0, cut)), ...splitter.push(bytes.subarray(cut)), ...splitter.end()];
        expect(Buffer.concat(parts).toString()).toBe(text);
      }),
    );
  });

  it("may not grow without end", () => {
    const splitter = new SseSplitter(100);
    splitter.push(Buffer.from(`data: ${"x".repeat(90)}`));
    expect(() => splitter.push(Buffer.from("y".repeat(20)))).toThrow("event of more than 100 bytes");
  });
});
