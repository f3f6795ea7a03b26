import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../sdk/events.ts";
import { AnthropicAssembler } from "../../../sdk/hub/assemble.ts";
import { record } from "../../../sdk/hub/json.ts";
import { MessageWriter, type StopReason } from "../../../sdk/hub/message-writer.ts";
import { faultsOf, parsedBySdk } from "../../helpers/event-protocol.ts";

type Command = (writer: MessageWriter) => void;

const inputPieces = ['{"a"', ":[1", ",2", '],"b":', '"x', 'y"}'];
const told = new WeakMap<MessageWriter, Map<number, number>>();

function startTool(writer: MessageWriter, key: number): void {
  told.set(writer, (told.get(writer) ?? new Map<number, number>()).set(key, 0));
  writer.toolStart(key, { id: `toolu_${key}`, name: `tool${key}` });
}

/** The next piece of an input that is JSON, as far as it goes. */
function goOn(writer: MessageWriter, key: number): void {
  const at = told.get(writer)?.get(key) ?? 0;
  told.get(writer)?.set(key, at + 1);
  writer.toolInput(key, inputPieces[at] ?? "");
}

const piece = fc.string({ maxLength: 6 });
const key = fc.nat(2);
const command: fc.Arbitrary<Command> = fc.oneof(
  piece.map(
    (text): Command =>
      (writer) =>
        writer.text(text),
  ),
  piece.map(
    (text): Command =>
      (writer) =>
        writer.thinking(text),
  ),
  piece.map(
    (text): Command =>
      (writer) =>
        writer.signature(text),
  ),
  key.map(
    (at): Command =>
      (writer) =>
        startTool(writer, at),
  ),
  key.map(
    (at): Command =>
      (writer) =>
        goOn(writer, at),
  ),
  key.map(
    (at): Command =>
      (writer) =>
        writer.toolEnd(at),
  ),
  fc.constant<Command>((writer) => writer.endPart()),
  fc.constant<Command>((writer) => writer.citation({ type: "web_search_result_location", url: "https://example.com" })),
  fc.constant<Command>((writer) => writer.serverTool({ id: "srvtoolu_1", name: "web_search", input: { query: "x" } })),
  fc.constant<Command>((writer) => writer.block({ type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] })),
  fc.nat(100).map(
    (count): Command =>
      (writer) =>
        writer.usage({ input_tokens: count }),
  ),
  fc.constant<Command>((writer) => writer.start()),
  fc.constantFrom<StopReason>("end_turn", "max_tokens", "refusal").map(
    (reason): Command =>
      (writer) =>
        writer.stop(reason),
  ),
  fc.constant<Command>((writer) => writer.identify({ id: "msg_1", model: "m" })),
);
const ending: fc.Arbitrary<Command> = fc.oneof(
  fc.constant<Command>((writer) => writer.finish()),
  fc.constant<Command>((writer) => writer.fail({ type: "api_error", message: "gone" })),
);

function create(): MessageWriter {
  return new MessageWriter({ model: "asked-for", inputTokens: 7 });
}

function write(...commands: readonly Command[]): readonly JsonObject[] {
  const writer = create();
  const events: JsonObject[] = [];
  for (const said of commands) {
    said(writer);
    events.push(...writer.take());
  }
  return events;
}

function fold(events: readonly JsonObject[]): JsonObject {
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  return JSON.parse(assembler.message() ?? "null");
}

function tell(...commands: readonly Command[]): JsonObject {
  return fold(write(...commands, (writer) => writer.finish()));
}

describe("a reply that is told", () => {
  it("follows the protocol and ends once, whatever is said in whatever order", () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 30 }),
        ending,
        fc.array(fc.oneof(command, ending), { maxLength: 5 }),
        (said, end, late) => {
          expect(faultsOf(write(...said, end, ...late))).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is read by the vendor's own parser as it is put together here", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 20 }), async (said) => {
        const events = write(...said, (writer) => writer.finish());
        const { content, stop_reason } = await parsedBySdk(events);
        const folded = fold(events);
        expect(stop_reason).toBe(folded["stop_reason"]);
        expect(withoutInputs(content)).toEqual(withoutInputs(folded["content"]));
      }),
      { numRuns: 300 },
    );
  });

  it("gives each of several calls that are told at once its own input", () => {
    const values = fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 8 }), { maxKeys: 4 });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat(3)), (inputs, order) => {
        const left = inputs.map((input) => JSON.stringify(input).match(/.{1,3}/gsu) ?? []);
        const commands: Command[] = inputs.map(
          (_, at): Command =>
            (writer) =>
              writer.toolStart(at, { id: `toolu_${at}`, name: "t" }),
        );
        for (const pick of order) {
          const open = left.flatMap((pieces, at) => (pieces.length > 0 ? [at] : []));
          const at = open[pick % Math.max(1, open.length)];
          if (at === undefined) break;
          const next = left[at]?.shift() ?? "";
          commands.push((writer) => writer.toolInput(at, next));
        }
        const content = tell(...commands)["content"];
        expect(Array.isArray(content) ? content.map((block) => record(block)?.["input"]) : content).toEqual(inputs);
      }),
    );
  });
});

/** The vendor's parser reads half an input as far as it goes; here it stays text. */
function withoutInputs(content: unknown): unknown {
  return Array.isArray(content) ? content.map((block) => ({ ...block, input: undefined, citations: undefined })) : content;
}

describe("parts", () => {
  it("stream on while they are the first, and wait while another is being told", () => {
    const writer = create();
    writer.toolStart(0, { id: "a", name: "first" });
    writer.toolStart(1, { id: "b", name: "second" });
    writer.take();
    writer.toolInput(1, '{"b":1}');
    expect(writer.take()).toEqual([]);
    writer.toolInput(0, "{}");
    expect(writer.take()).toEqual([{ type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: "{}" } }]);
    writer.toolEnd(0);
    expect(writer.take().map(({ type, index }) => [type, index])).toEqual([
      ["content_block_stop", 0],
      ["content_block_start", 1],
      ["content_block_delta", 1],
    ]);
  });

  it("end when another begins: what follows a text does not wait for the end of the reply", () => {
    const writer = create();
    writer.text("a");
    writer.take();
    writer.toolStart(0, { id: "a", name: "first" });
    expect(writer.take().map(({ type, index }) => [type, index])).toEqual([
      ["content_block_stop", 0],
      ["content_block_start", 1],
    ]);
  });

  it("that have ended take nothing more, told or waiting", () => {
    const { content } = tell(
      (writer) => writer.toolStart(0, { id: "a", name: "first" }),
      (writer) => writer.toolStart(1, { id: "b", name: "second" }),
      (writer) => writer.toolInput(1, "{}"),
      (writer) => writer.toolEnd(1),
      (writer) => writer.toolInput(1, "{}"),
      (writer) => writer.toolEnd(0),
      (writer) => writer.toolInput(0, "{}"),
    );
    expect(content).toEqual([
      { type: "tool_use", id: "a", name: "first", input: {} },
      { type: "tool_use", id: "b", name: "second", input: {} },
    ]);
  });

  it("do not wait for a call whose key was given to another one", () => {
    const writer = create();
    writer.toolStart(0, { id: "a", name: "first" });
    writer.toolStart(0, { id: "b", name: "second" });
    writer.take();
    writer.toolInput(0, "{}");
    expect(writer.take()).toEqual([{ type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "{}" } }]);
  });

  it("of thinking without words hold the signature alone", () => {
    const { content } = tell(
      (writer) => writer.signature("s"),
      (writer) => writer.text("a"),
    );
    expect(content).toEqual([
      { type: "thinking", thinking: "", signature: "s" },
      { type: "text", text: "a" },
    ]);
  });

  it("are two where the first was ended", () => {
    const { content } = tell(
      (writer) => writer.text("a"),
      (writer) => writer.endPart(),
      (writer) => writer.text("b"),
    );
    expect(content).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]);
  });

  it("that had begun stay unfinished when the reply fails", () => {
    const events = write(
      (writer) => writer.toolStart(0, { id: "a", name: "t" }),
      (writer) => writer.toolInput(0, '{"command":"rm -rf /tm'),
      (writer) => writer.fail({ type: "overloaded_error", message: "busy" }),
    );
    expect(events.map(({ type }) => type)).toEqual(["message_start", "content_block_start", "content_block_delta", "error"]);
  });
});

describe("why it ends", () => {
  const call: Command = (writer) => writer.toolStart(0, { id: "a", name: "t" });
  it.each<[StopReason | undefined, boolean, StopReason]>([
    [undefined, false, "end_turn"],
    ["end_turn", false, "end_turn"],
    ["end_turn", true, "tool_use"],
    [undefined, true, "tool_use"],
    ["tool_use", true, "tool_use"],
    ["tool_use", false, "end_turn"],
    ["max_tokens", true, "max_tokens"],
    ["refusal", false, "refusal"],
    ["model_context_window_exceeded", true, "model_context_window_exceeded"],
  ])("said %s, calls a tool: %s, told %s", (said, calls, expected) => {
    const commands: Command[] = [
      ...(calls ? [call] : []),
      ...(said === undefined ? [] : [(writer: MessageWriter): void => writer.stop(said)]),
    ];
    expect(tell(...commands)["stop_reason"]).toBe(expected);
  });

  it("is what was said first, with the sequence", () => {
    const message = tell(
      (writer) => writer.stop("stop_sequence", "END"),
      (writer) => writer.stop("end_turn"),
    );
    expect([message["stop_reason"], message["stop_sequence"]]).toEqual(["stop_sequence", "END"]);
  });
});

describe("usage", () => {
  it("that is known before the first event stands in it, and the last word counts", () => {
    const events = write(
      (writer) => writer.usage({ input_tokens: 10, cache_read_input_tokens: 90 }),
      (writer) => writer.text("hello"),
      (writer) => writer.usage({ output_tokens: 3 }),
      (writer) => writer.usage({ output_tokens: 5, output_tokens_details: { thinking_tokens: 2 } }),
      (writer) => writer.finish(),
    );
    expect(record(events[0]?.["message"])?.["usage"]).toEqual({
      input_tokens: 10,
      output_tokens: 0,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 90,
    });
    expect(events.at(-2)?.["usage"]).toEqual({
      input_tokens: 10,
      output_tokens: 5,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 90,
      output_tokens_details: { thinking_tokens: 2 },
    });
  });

  it("that nobody counted is estimated, and said to be", () => {
    const writer = create();
    writer.text("x".repeat(41));
    writer.finish();
    expect(writer.isEstimated).toBe(true);
    expect(writer.take().at(-2)?.["usage"]).toMatchObject({ input_tokens: 7, output_tokens: 11 });
    const counted = create();
    counted.usage({ input_tokens: 1, output_tokens: 0 });
    expect(counted.isEstimated).toBe(false);
  });
});

describe("what a wire asks of it", () => {
  it("is told of content, stop and end", () => {
    const writer = create();
    expect([writer.hasContent, writer.hasStop, writer.isOver]).toEqual([false, false, false]);
    writer.start();
    expect(writer.hasContent).toBe(false);
    writer.text("a");
    writer.stop("end_turn");
    expect([writer.hasContent, writer.hasStop, writer.isOver]).toEqual([true, true, false]);
    writer.finish();
    expect(writer.isOver).toBe(true);
    expect(writer.hasContent).toBe(true);
  });

  it("names the model that answers, or the one that was asked for", () => {
    expect(tell()["model"]).toBe("asked-for");
    expect(tell((writer) => writer.identify({ id: "msg_9", model: "real" }))).toMatchObject({ id: "msg_9", model: "real" });
    expect(tell()["id"]).toMatch(/^msg_[0-9a-f]{32}$/);
  });
});
