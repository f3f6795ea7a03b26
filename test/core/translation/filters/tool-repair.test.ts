import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createToolRepair } from "../../../../core/translation/filters/tool-repair.ts";
import type { JsonObject } from "../../../../sdk/events.ts";
import { AnthropicAssembler } from "../../../../sdk/hub/assemble.ts";
import { MessageWriter, type StopReason } from "../../../../sdk/hub/message-writer.ts";
import { faultsOf } from "../../../helpers/event-protocol.ts";

const schema: JsonObject = {
  type: "object",
  properties: {
    command: { type: "string" },
    timeout: { type: "integer" },
    force: { type: "boolean" },
    files: { type: "array", items: { type: "string" } },
    options: { type: "object", properties: { depth: { type: "number" } } },
    either: { anyOf: [{ type: "integer" }, { type: "null" }] },
    node: { $ref: "#/$defs/node" },
  },
  required: ["command"],
  $defs: { node: { type: "object", properties: { size: { type: "integer" }, next: { $ref: "#/$defs/node" } } } },
};

type End = StopReason | "error" | "eof";

interface Told {
  readonly inputs: readonly string[];
  readonly end?: End;
  readonly before?: string;
  readonly after?: string;
}

/** The events of a reply with these inputs, in pieces of three characters. */
function reply({ inputs, end = "tool_use", before = "", after = "" }: Told): readonly JsonObject[] {
  const writer = new MessageWriter({ model: "m", inputTokens: 1 });
  writer.identify({ id: "msg_1" });
  writer.text(before);
  for (const [at, input] of inputs.entries()) {
    writer.toolStart(at, { id: `toolu_${at}`, name: "Bash" });
    for (const piece of input.match(/.{1,3}/gsu) ?? []) writer.toolInput(at, piece);
    if (end !== "eof" || at < inputs.length - 1) writer.toolEnd(at);
  }
  writer.text(after);
  if (end === "error") writer.fail({ type: "api_error", message: "gone" });
  else if (end !== "eof") {
    writer.stop(end);
    writer.finish();
  }
  return writer.take();
}

function repair(events: readonly JsonObject[], notes: unknown[] = []): readonly JsonObject[] {
  const filter = createToolRepair({ schemas: new Map([["Bash", schema]]), note: (what, details) => notes.push([what, details]) });
  return [...events.flatMap((event) => filter.push(event)), ...filter.end()];
}

function inputsOf(events: readonly JsonObject[]): readonly unknown[] {
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  const message: { readonly content: readonly { readonly type: string; readonly input?: unknown }[] } = JSON.parse(
    assembler.message() ?? '{"content":[]}',
  );
  return message.content.filter(({ type }) => type === "tool_use").map(({ input }) => input);
}

describe("inputs that are mended", () => {
  it.each<[string, string, JsonObject]>([
    ["a comma too many", '{"command":"ls",}', { command: "ls" }],
    ["single quotes", "{'command': 'ls -l'}", { command: "ls -l" }],
    ["names without quotes", '{command: "ls"}', { command: "ls" }],
    ["a fence", '```json\n{"command":"ls"}\n```', { command: "ls" }],
    ["a fence and a comma", '```\n{"command":"ls",}\n```', { command: "ls" }],
    ["words of another language", '{"command":"ls","force":True}', { command: "ls", force: true }],
    ["an object in a text", '"{\\"command\\":\\"ls\\"}"', { command: "ls" }],
    ["a number as text", '{"command":"ls","timeout":"5"}', { command: "ls", timeout: 5 }],
    ["a flag as text", '{"command":"ls","force":"true"}', { command: "ls", force: true }],
    ["a list as text", '{"files":"[\\"a\\",\\"b\\"]"}', { files: ["a", "b"] }],
    ["an object as text", '{"options":"{\\"depth\\":\\"2\\"}"}', { options: { depth: 2 } }],
    ["one for a list", '{"files":"a.txt"}', { files: ["a.txt"] }],
    ["a text that is no text", '{"command":5}', { command: "5" }],
    ["one of several types", '{"either":"7"}', { either: 7 }],
    ["none of several types", '{"either":"null"}', { either: null }],
    ["what is referred to", '{"node":{"size":"1","next":{"size":"2"}}}', { node: { size: 1, next: { size: 2 } } }],
    ["a line break in a text", '{"command":"a\nb"}', { command: "a\nb" }],
  ])("%s", (_, json, expected) => {
    const notes: unknown[] = [];
    const events = repair(reply({ inputs: [json] }), notes);
    expect(inputsOf(events)).toEqual([expected]);
    expect(faultsOf(events)).toEqual([]);
    expect(notes).toHaveLength(1);
  });

  it("say in the trace how, and nothing of what they hold", () => {
    const notes: unknown[] = [];
    repair(reply({ inputs: ['{"command":"secret",}', '{"command":"ls","timeout":"5"}', '{"command":"ok"}'] }), notes);
    expect(notes).toEqual([
      ["the input of a tool call was mended", { how: "json" }],
      ["the input of a tool call was mended", { how: "types" }],
    ]);
  });
});

describe("inputs that are left alone", () => {
  it.each([
    ["a number that is none", '{"timeout":"soon"}'],
    ["a number that would lose digits", '{"timeout":"12345678901234567890"}'],
    ["half a number for a whole one", '{"timeout":"1.5"}'],
    ["what is missing", '{"timeout":5}'],
    ["what nobody declared", '{"command":"ls","other":"5"}'],
    ["no JSON at all", "please list the files"],
    ["a list", "[1,2]"],
    ["JSON whose end is missing", '{"command":"rm -rf /home/me/tm'],
    ["JSON whose last brace is missing", '{"command":"ls"'],
    ["nothing", ""],
    ["numbers with many digits", '{"timeout":12345678901234567890}'],
    ["white space", '{ "command" : "ls" }'],
  ])("%s", (_, json) => {
    const events = reply({ inputs: [json] });
    expect(repair(events)).toEqual(events);
  });

  it("keeps the digits of numbers beside what is mended", () => {
    const events = repair(reply({ inputs: ['{"files":"a","big":12345678901234567890}'] }));
    expect(JSON.stringify(events)).toContain("12345678901234567890}");
  });
});

describe("a reply that was cut", () => {
  const broken = ['{"command":"ls",}', '{"command":"rm -rf /tmp/x",}'];
  it.each<End>(["max_tokens", "model_context_window_exceeded", "stop_sequence", "refusal", "pause_turn", "error", "eof"])(
    "by %s is never mended",
    (end) => {
      const notes: unknown[] = [];
      const events = reply({ inputs: broken, end, before: "Well:" });
      expect(repair(events, notes)).toEqual(events);
      expect(notes).toEqual([]);
    },
  );
});

describe("what streams on", () => {
  it("are text, pings, and inputs that are right", () => {
    const filter = createToolRepair({ schemas: new Map(), note: () => undefined });
    const events = reply({ inputs: ['{"command":"ls"}'], before: "First.", after: "Then." });
    const delays = events.map((event) => filter.push(event).length);
    // Only the deltas of the call are held, and let go with its end.
    const kinds = events.map(({ type }) => type);
    expect(delays[kinds.indexOf("content_block_delta")]).toBe(1);
    expect(delays.reduce((sum, count) => sum + count, 0)).toBe(events.length);
    expect(delays.at(-1)).toBe(1);
    expect(delays.at(-3)).toBe(1);
  });

  it("is a ping, while a call waits for the end", () => {
    const filter = createToolRepair({ schemas: new Map(), note: () => undefined });
    const events = reply({ inputs: ["{a:1}"] });
    for (const event of events.slice(0, -2)) filter.push(event);
    expect(filter.push({ type: "ping" })).toEqual([{ type: "ping" }]);
  });

  it("is all of it, in order, whatever the inputs are", () => {
    const input = fc.oneof(fc.constantFrom('{"command":"a",}', "{'files':'x'}", "{", "", "nonsense", '{"timeout":"1"}'), fc.json());
    const end = fc.constantFrom<End>("tool_use", "end_turn", "max_tokens", "error");
    fc.assert(
      fc.property(
        fc.array(input, { maxLength: 4 }),
        end,
        fc.string({ maxLength: 5 }),
        fc.string({ maxLength: 5 }),
        (inputs, how, before, after) => {
          const events = reply({ inputs, end: how, before, after });
          const repaired = repair(events);
          expect(faultsOf(repaired)).toEqual([]);
          const others = (list: readonly JsonObject[]): readonly JsonObject[] =>
            list.filter((event) => !JSON.stringify(event).includes("input_json_delta"));
          expect(others(repaired)).toEqual(others(events));
        },
      ),
    );
  });
});
