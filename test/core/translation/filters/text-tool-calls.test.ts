import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTextToolCalls } from "../../../../core/translation/filters/text-tool-calls.ts";
import type { JsonObject } from "../../../../sdk/events.ts";
import { AnthropicAssembler } from "../../../../sdk/hub/assemble.ts";
import { MessageWriter, type StopReason } from "../../../../sdk/hub/message-writer.ts";
import { faultsOf } from "../../../helpers/event-protocol.ts";

type End = StopReason | "error" | "eof";

/** A reply of this text, in pieces of so many characters. */
function reply(text: string, { end = "end_turn", size = 3 }: { readonly end?: End; readonly size?: number } = {}): readonly JsonObject[] {
  const writer = new MessageWriter({ model: "m", inputTokens: 1 });
  writer.identify({ id: "msg_1" });
  writer.thinking("Which tool?");
  for (let at = 0; at < text.length; at += size) writer.text(text.slice(at, at + size));
  if (end === "error") writer.fail({ type: "api_error", message: "gone" });
  else if (end !== "eof") {
    writer.stop(end);
    writer.finish();
  }
  return writer.take();
}

function turn(events: readonly JsonObject[], notes: unknown[] = []): readonly JsonObject[] {
  const filter = createTextToolCalls({ names: new Set(["Bash", "Read"]), note: (what, details) => notes.push([what, details]) });
  return [...events.flatMap((event) => filter.push(event)), ...filter.end()];
}

interface Folded {
  readonly content: readonly {
    readonly type: string;
    readonly text?: string;
    readonly name?: string;
    readonly input?: unknown;
    readonly id?: string;
  }[];
  readonly stop_reason: string | null;
}

function fold(events: readonly JsonObject[]): Folded {
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  return JSON.parse(assembler.message() ?? "null");
}

/** Texts, and calls as lists. */
function saidIn(events: readonly JsonObject[]): readonly unknown[] {
  return fold(events)
    .content.filter(({ type }) => type !== "thinking")
    .map(({ type, text, name, input }) => (type === "text" ? text : [name, input]));
}

const ls = { command: "ls" };
const json = '{"name": "Bash", "arguments": {"command": "ls"}}';

describe("calls in text", () => {
  it.each<[string, string, readonly unknown[]]>([
    ["Hermes", `<tool_call>\n${json}\n</tool_call>`, [["Bash", ls]]],
    ["Hermes, with words before", `Let me look.\n<tool_call>${json}</tool_call>`, ["Let me look.\n", ["Bash", ls]]],
    [
      "Hermes, two of them",
      `<tool_call>${json}</tool_call>\n<tool_call>${json}</tool_call>\n`,
      [
        ["Bash", ls],
        ["Bash", ls],
      ],
    ],
    ["Hermes, words between", `<tool_call>${json}</tool_call> and <tool_call>${json}</tool_call>`, [["Bash", ls], " and ", ["Bash", ls]]],
    ["Hermes without an end", `<tool_call>\n${json}`, [["Bash", ls]]],
    [
      "Hermes with a list",
      `<tool_call>[${json},${json}]</tool_call>`,
      [
        ["Bash", ls],
        ["Bash", ls],
      ],
    ],
    ["Hermes with a comma too many", '<tool_call>{"name":"Bash","arguments":{"command":"ls",}}</tool_call>', [["Bash", ls]]],
    ["Hermes, arguments as text", '<tool_call>{"name":"Bash","arguments":"{\\"command\\":\\"ls\\"}"}</tool_call>', [["Bash", ls]]],
    [
      "as OpenAI has it",
      '<tool_call>{"type":"function","function":{"name":"Bash","arguments":{"command":"ls"}}}</tool_call>',
      [["Bash", ls]],
    ],
    ["a tag first named in passing", `A <tool_call> is a tag: <tool_call>${json}</tool_call>`, ["A <tool_call> is a tag: ", ["Bash", ls]]],
    ["Llama 3.1", '<function=Bash>{"command": "ls"}</function>', [["Bash", ls]]],
    ["Qwen coder", "<tool_call>\n<function=Bash>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>", [["Bash", ls]]],
    [
      "Qwen coder without its first tag",
      "<function=Bash>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
      [["Bash", ls]],
    ],
    [
      "Qwen coder, several lines",
      "<tool_call><function=Bash><parameter=command>\na\n  b\n</parameter></function></tool_call>",
      [["Bash", { command: "a\n  b" }]],
    ],
    ["Mistral", `[TOOL_CALLS] [${json}]`, [["Bash", ls]]],
    [
      "Mistral of late",
      '[TOOL_CALLS]Bash[ARGS]{"command": "ls"}[TOOL_CALLS]Read[ARGS]{"path": "a"}',
      [
        ["Bash", ls],
        ["Read", { path: "a" }],
      ],
    ],
    ["Mistral with an id", '[TOOL_CALLS]Bash[CALL_ID]abc[ARGS]{"command": "ls"}', [["Bash", ls]]],
    ["Llama 3", '<|python_tag|>{"name": "Bash", "parameters": {"command": "ls"}}', [["Bash", ls]]],
    [
      "Llama 3, two of them",
      `<|python_tag|>${json}; ${json}`,
      [
        ["Bash", ls],
        ["Bash", ls],
      ],
    ],
    ["a fence", `I call it:\n\`\`\`json\n${json}\n\`\`\`\n`, ["I call it:\n", ["Bash", ls]]],
    [
      "a fence around a fence",
      '```json\n{"name": "Bash", "arguments": {"command": "echo \'```sh\\nx\\n```\'"}}\n```',
      [["Bash", { command: "echo '```sh\nx\n```'" }]],
    ],
  ])("%s", (_, text, expected) => {
    for (const size of [1, 3, 7, 1000]) {
      const events = turn(reply(text, { size }));
      expect(saidIn(events)).toEqual(expected);
      expect(fold(events).stop_reason).toBe("tool_use");
      expect(faultsOf(events)).toEqual([]);
    }
  });

  it("are counted in the trace, and have ids of their own", () => {
    const notes: unknown[] = [];
    const { content } = fold(turn(reply(`<tool_call>${json}</tool_call><tool_call>${json}</tool_call>`), notes));
    expect(notes).toEqual([["calls that stood in the text were made calls of tools", { count: 2 }]]);
    const ids = content.flatMap(({ type, id }) => (type === "tool_use" ? [id] : []));
    expect(new Set(ids).size).toBe(2);
  });
});

describe("text that stays text", () => {
  it.each([
    ["a tool nobody declared", '<tool_call>{"name": "Format", "arguments": {}}</tool_call>'],
    ["a tag without a call", "The tag <tool_call> opens, </tool_call> closes."],
    ["a function without JSON", "<function=Bash>do it</function>"],
    ["JSON for reading", '```json\n{"name": "ccproxy", "version": "0.1.0"}\n```\nThat is it.'],
    ["JSON for reading, a list", "```json\n[1, 2]\n```"],
    ["a fence that never ends", '```json\n{"key": [1, 2'],
    ["a call whose last tags are missing", "<function=Bash>\n<parameter=command>\nrm -rf /home/me"],
    ["a call whose JSON is cut", '<tool_call>{"name": "Bash", "arguments": {"command": "rm -rf /home'],
    ["half a marker at the end", "a < b, and <tool_"],
    ["markers in a row", "<tool_call>".repeat(200)],
    ["calls of which one is unknown", `<tool_call>[${json},{"name":"x","arguments":{}}]</tool_call>`],
    ["white space", " \n "],
  ])("%s", (_, text) => {
    for (const size of [1, 5, 1000]) {
      const events = turn(reply(text, { size }));
      expect(saidIn(events).join("")).toBe(text);
      expect(fold(events).stop_reason).toBe("end_turn");
      expect(faultsOf(events)).toEqual([]);
    }
  });

  it.each<End>(["max_tokens", "stop_sequence", "refusal", "error", "eof"])("all of a reply that was cut: %s", (end) => {
    const text = `First. <tool_call>${json}</tool_call> then <tool_call>{"name": "Bash", "arg`;
    const notes: unknown[] = [];
    const events = turn(reply(text, { end }), notes);
    expect(saidIn(events)).toEqual([text]);
    expect(notes).toEqual([]);
  });
});

describe("what streams on", () => {
  it("is text before a call, but for what may be the beginning of a marker", () => {
    const filter = createTextToolCalls({ names: new Set(["Bash"]), note: () => undefined });
    const seen = (events: readonly JsonObject[]): string => JSON.stringify(events);
    const push = (text: string): string =>
      seen(filter.push({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }));
    filter.push({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
    expect(push("Hello")).toContain("Hello");
    expect(push(" <tool")).toContain('" "');
    expect(push("box>")).toContain("<toolbox>");
    expect(push("<tool_call>")).toBe("[]");
    expect(push("{")).toBe("[]");
    expect(filter.push({ type: "ping" })).toEqual([{ type: "ping" }]);
  });

  it("is a fence as soon as it shows that it is no call", () => {
    const filter = createTextToolCalls({ names: new Set(["Bash"]), note: () => undefined });
    filter.push({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
    const long = `\`\`\`json\n{"version": "${"1".repeat(80)}`;
    const events = filter.push({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: long } });
    expect(JSON.stringify(events)).toContain("version");
  });

  it("are blocks of other kinds, numbered anew behind a call", () => {
    const writer = new MessageWriter({ model: "m", inputTokens: 1 });
    writer.text(`<tool_call>${json}</tool_call> done`);
    writer.toolStart(0, { id: "toolu_9", name: "Read" });
    writer.toolInput(0, "{}");
    writer.finish();
    const events = turn(writer.take());
    expect(faultsOf(events)).toEqual([]);
    expect(saidIn(events)).toEqual([["Bash", ls], " done", ["Read", {}]]);
  });

  it("is every character, whatever the text is and however it was cut", () => {
    const bits = fc.constantFrom(
      "<tool_call>",
      "</tool_call>",
      "<function=Nope>",
      "</function>",
      "[TOOL_CALLS]",
      "```json",
      "```",
      "<|python_tag|>",
      "{",
      "}",
      "<",
      "a ",
      "\n",
    );
    fc.assert(
      fc.property(
        fc.array(bits, { maxLength: 25 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom<End>("end_turn", "max_tokens", "eof"),
        (list, size, end) => {
          const text = list.join("");
          const events = turn(reply(text, { size, end }));
          if (end !== "eof") expect(faultsOf(events)).toEqual([]);
          // None of these is a whole call.
          if (end !== "eof" || text.trim() !== "") expect(saidIn(events).join("")).toBe(text);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("costs no more than its length, however it comes", () => {
    const text = `<tool_call>{"name":"Bash","arguments":{"command":"${"x".repeat(400_000)}"}}</tool_call>`;
    const start = performance.now();
    expect(saidIn(turn(reply(text, { size: 4 })))).toHaveLength(1);
    turn(reply("<tool_call>".repeat(40_000) + "</tool_call>", { size: 1000 }));
    expect(performance.now() - start).toBeLessThan(4000);
  });
});
