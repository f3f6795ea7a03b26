import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { JsonObject } from "../../../sdk/events.ts";
import { AnthropicAssembler } from "../../../sdk/hub/assemble.ts";
import { unseal } from "../../../sdk/hub/envelope.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import { StopSequences } from "../../../plugins/openai-responses/stop-sequences.ts";
import { faultsOf, parsedBySdk } from "../../helpers/event-protocol.ts";
import { hubReply } from "./hub-replies.ts";
import { type Loose, makeHubRequest, makeTarget, replyOptions, translation, wire } from "./targets.ts";

function readerFor(body: JsonObject = {}) {
  return wire.encode(makeHubRequest({ stream: true, ...body }), makeTarget(), () => {}).reader;
}

function decode(text: string, cuts: readonly number[] = [], body: JsonObject = {}): readonly JsonObject[] {
  const bytes = Buffer.from(text);
  const decoder = readerFor(body).stream();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return [...places.slice(1).flatMap((end, index) => decoder.push(bytes.subarray(places[index], end))), ...decoder.end()];
}

function message(events: readonly JsonObject[]): Loose {
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  expect(assembler.complete).toBe(true);
  return JSON.parse(assembler.message() ?? "null");
}

interface Item {
  readonly done: JsonObject;
  /** Of the item, between its beginning and its end. */
  readonly body: readonly JsonObject[];
}

const pieces = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 });

const messageItem: fc.Arbitrary<Item> = fc
  .record({ parts: fc.array(pieces, { minLength: 1, maxLength: 2 }), id: fc.uuid() })
  .map(({ parts, id }) => {
    const texts = parts.map((part) => part.join(""));
    return {
      done: {
        id: `msg_${id}`,
        type: "message",
        role: "assistant",
        content: texts.map((text) => ({ type: "output_text", text, annotations: [] })),
      },
      body: parts.flatMap((part, content_index) => [
        { type: "response.content_part.added", content_index, part: { type: "output_text", text: "", annotations: [] } },
        ...part.map((delta) => ({ type: "response.output_text.delta", content_index, delta })),
        { type: "response.output_text.done", content_index, text: part.join("") },
        { type: "response.content_part.done", content_index, part: { type: "output_text", text: part.join(""), annotations: [] } },
      ]),
    };
  });

const reasoningItem: fc.Arbitrary<Item> = fc.record({ parts: fc.array(pieces, { maxLength: 3 }), id: fc.uuid() }).map(({ parts, id }) => ({
  done: {
    id: `rs_${id}`,
    type: "reasoning",
    encrypted_content: `g${id}`,
    summary: parts.map((part) => ({ type: "summary_text", text: part.join("") })),
  },
  body: parts.flatMap((part, summary_index) => [
    { type: "response.reasoning_summary_part.added", summary_index, part: { type: "summary_text", text: "" } },
    ...part.map((delta) => ({ type: "response.reasoning_summary_text.delta", summary_index, delta })),
    { type: "response.reasoning_summary_text.done", summary_index, text: part.join("") },
    { type: "response.reasoning_summary_part.done", summary_index, part: { type: "summary_text", text: part.join("") } },
  ]),
}));

const callItem: fc.Arbitrary<Item> = fc.record({ value: fc.string(), id: fc.uuid(), cut: fc.nat() }).map(({ value, id, cut }) => {
  const json = JSON.stringify({ value });
  const at = cut % json.length;
  return {
    done: { id: `fc_${id}`, type: "function_call", call_id: `call_${id}`, name: "Bash", arguments: json, status: "completed" },
    body: [
      { type: "response.function_call_arguments.delta", delta: json.slice(0, at) },
      { type: "response.function_call_arguments.delta", delta: json.slice(at) },
      { type: "response.function_call_arguments.done", name: "Bash", arguments: json },
    ],
  };
});

const searchItem: fc.Arbitrary<Item> = fc.uuid().map((id) => ({
  done: {
    id: `ws_${id}`,
    type: "web_search_call",
    status: "completed",
    action: { type: "search", query: "q", sources: [{ type: "url", url: "https://example.com" }] },
  },
  body: [{ type: "response.web_search_call.searching" }],
}));

const items = fc.array(fc.oneof(messageItem, reasoningItem, callItem, searchItem), { minLength: 1, maxLength: 5 });

/** Which of the items speaks next, as long as they begin in order. */
function interleave(all: readonly Item[], choices: readonly number[]): readonly JsonObject[] {
  const rows = all.map(({ done, body }, output_index) => [
    { type: "response.output_item.added", output_index, item: begun(done) },
    ...body.map((event) => ({ ...event, output_index, item_id: done["id"]! })),
    { type: "response.output_item.done", output_index, item: done },
  ]);
  const told: JsonObject[] = [];
  let begunCount = 0;
  for (let step = 0; rows.some((row) => row.length > 0); step++) {
    const open = rows.flatMap((row, index) => (row.length > 0 && index <= begunCount ? [index] : []));
    const index = open[(choices[step % choices.length] ?? 0) % open.length]!;
    if (index === begunCount) begunCount += 1;
    told.push(rows[index]!.shift()!);
  }
  return told;
}

function begun(done: JsonObject): JsonObject {
  const { content: _, encrypted_content: __, ...rest } = done;
  return {
    ...rest,
    ...("summary" in done ? { summary: [] } : {}),
    ...("arguments" in done ? { arguments: "" } : {}),
    ...("content" in done ? { content: [] } : {}),
  };
}

const usage = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 6,
  output_tokens_details: { reasoning_tokens: 0 },
};

function stream(all: readonly Item[], choices: readonly number[]): string {
  const response = {
    id: "resp_1",
    object: "response",
    model: "gpt-5.6-sol",
    status: "completed",
    output: all.map(({ done }) => done),
    usage,
  };
  const events = [
    { type: "response.created", response: { ...response, status: "in_progress", output: [], usage: null } },
    ...interleave(all, choices),
    { type: "response.completed", response },
  ];
  return events.map((event) => `event: ${text(event["type"]) ?? ""}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}

describe("items that come all at once", () => {
  test("are told one after the other, as the vendor's parser reads them, and as the whole response says", async () => {
    await fc.assert(
      fc.asyncProperty(
        items,
        fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        async (all, choices, cuts) => {
          const events = decode(stream(all, choices), cuts);
          expect(faultsOf(events)).toEqual([]);
          const told = message(events);
          const { reader } = wire.encode(makeHubRequest(), makeTarget(), () => {});
          const whole = message(
            reader.whole({ id: "resp_1", model: "gpt-5.6-sol", status: "completed", output: all.map(({ done }) => done), usage }),
          );
          expect(told).toEqual(whole);
          expect((await parsedBySdk(events))["content"]).toEqual(told.content.map((block: Loose) => block));
          const words = all.flatMap(({ done }) =>
            done["type"] === "message" ? (done["content"] as Loose[]).map((part) => part.text) : [],
          );
          expect(told.content.flatMap((block: Loose) => (block.type === "text" ? [block.text] : []))).toEqual(words);
          const calls = all.flatMap(({ done }) => (done["type"] === "function_call" ? [done["call_id"]] : []));
          expect(told.content.flatMap((block: Loose) => (block.type === "tool_use" ? [block.id] : []))).toEqual(calls);
          expect(told.stop_reason).toBe(calls.length > 0 ? "tool_use" : "end_turn");
          const ciphers = all.flatMap(({ done }) => (done["type"] === "reasoning" ? [done["encrypted_content"]] : []));
          expect(
            told.content.flatMap((block: Loose) =>
              block.type === "thinking" ? [record(unseal(block.signature)?.payload)?.["encrypted_content"]] : [],
            ),
          ).toEqual(ciphers);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("end once, in an error, where the stream breaks off", () => {
    fc.assert(
      fc.property(items, fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), fc.nat(), (all, choices, length) => {
        const text = stream(all, choices);
        const events = decode(text.slice(0, length % text.lastIndexOf("event: response.completed")));
        expect(faultsOf(events)).toEqual([]);
        expect(events.at(-1)).toMatchObject({ type: "error" });
      }),
      { numRuns: 200 },
    );
  });
});

test("a call is told to its end as soon as it has one, and the next one as it comes", () => {
  const decoder = readerFor().stream();
  const tell = (event: JsonObject): readonly string[] =>
    decoder.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`)).map((told) => text(told["type"]) ?? "");
  const call = (number: number): JsonObject => ({
    id: `fc_${number}`,
    type: "function_call",
    call_id: `call_${number}`,
    name: "Bash",
    arguments: "{}",
  });
  expect(tell({ type: "response.output_item.added", output_index: 0, item: { ...call(0), arguments: "" } })).toEqual([
    "message_start",
    "content_block_start",
  ]);
  expect(tell({ type: "response.function_call_arguments.delta", output_index: 0, delta: "{}" })).toEqual(["content_block_delta"]);
  expect(tell({ type: "response.output_item.done", output_index: 0, item: call(0) })).toEqual(["content_block_stop"]);
  expect(tell({ type: "response.output_item.added", output_index: 1, item: { ...call(1), arguments: "" } })).toEqual([
    "content_block_start",
  ]);
  expect(tell({ type: "response.function_call_arguments.delta", output_index: 1, delta: "{}" })).toEqual(["content_block_delta"]);
});

test("whatever comes, it is told in order and ends once", () => {
  const strange = fc.record({
    type: fc.constantFrom(
      "response.output_item.added",
      "response.output_item.done",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.reasoning_summary_text.delta",
      "response.reasoning_text.delta",
      "response.refusal.delta",
      "response.web_search_call.completed",
      "response.created",
      "response.completed",
      "response.novelty",
      "error",
      "ping",
    ),
    output_index: fc.oneof(fc.nat(3), fc.constant(null)),
    item_id: fc.constantFrom("a", "b", null),
    delta: fc.oneof(fc.string(), fc.constant(null)),
    text: fc.oneof(fc.string(), fc.constant(7)),
    arguments: fc.string(),
    summary_index: fc.nat(2),
    content_index: fc.nat(2),
    item: fc.oneof(
      fc.constantFrom(null, 5, "x"),
      fc.record({
        type: fc.constantFrom("message", "function_call", "reasoning", "web_search_call", "novelty"),
        id: fc.string(),
        name: fc.string(),
        content: fc.constantFrom([], null, [{ type: "output_text", text: "t" }]),
      }),
    ),
    part: fc.constantFrom(null, { type: "output_text", text: "t" }),
    response: fc.constantFrom(null, {}, { output: [5, null, {}], usage: { input_tokens: "x" } }, { status: "incomplete", output: "?" }),
  });
  fc.assert(
    fc.property(fc.array(strange, { maxLength: 12 }), (events) => {
      const told = decode(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
      expect(faultsOf(told)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("what a client is told is what the hub said, there and back", () => {
  fc.assert(
    fc.property(hubReply, fc.array(fc.nat(), { maxLength: 8 }), ({ events, message: said }, cuts) => {
      const encoder = translation.stream(replyOptions());
      const told = events.map((event) => encoder.push(event)).join("") + encoder.end();
      const back = message(decode(told, cuts));
      const blocks = said["content"] as Loose[];
      const textOf = (content: Loose[]): string => content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("");
      const callsOf = (content: Loose[]): unknown[] =>
        content.flatMap((block) => (block.type === "tool_use" ? [[block.id, block.name, block.input]] : []));
      const silent = said["stop_reason"] === "refusal" && textOf(blocks) === "";
      expect(textOf(back.content)).toBe(silent ? "The model declined to answer." : textOf(blocks));
      expect(callsOf(back.content)).toEqual(callsOf(blocks));
      expect(back.usage).toMatchObject(said["usage"] as JsonObject);
      const reason = text(said["stop_reason"]) ?? "";
      const same =
        reason === "refusal" || reason === "max_tokens" ? reason : reason === "model_context_window_exceeded" ? "max_tokens" : undefined;
      expect(back.stop_reason).toBe(same ?? (callsOf(blocks).length > 0 ? "tool_use" : "end_turn"));
    }),
    { numRuns: 200 },
  );
});

describe("stop sequences", () => {
  test("cut any text where the first one begins, however it comes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 4 }), { maxLength: 12 }),
        (sequences, parts) => {
          const whole = parts.join("");
          const cutter = new StopSequences(sequences);
          let told = "";
          let found: string | undefined;
          for (const part of parts) {
            const cut = cutter.push(part);
            told += cut.text;
            found = cut.sequence;
            if (found !== undefined) break;
          }
          if (found === undefined) told += cutter.flush();
          // The first to be complete, since what comes after is not known yet; of those, the first to begin.
          if (found === undefined) {
            expect(told).toBe(whole);
            for (const sequence of sequences) expect(whole).not.toContain(sequence);
          } else {
            expect(whole.startsWith(told + found)).toBe(true);
            for (const sequence of sequences) expect(told).not.toContain(sequence);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("hold nothing back but what may be the beginning of one", () => {
    const cutter = new StopSequences(["\n\nHuman:"]);
    expect(cutter.push("One\n").text).toBe("One");
    expect(cutter.push("two").text).toBe("\ntwo");
    expect(cutter.flush()).toBe("");
  });

  test("end a stream at once, and say which", () => {
    const deltas = ["One ", "EN", "D two"].map((delta) => ({
      type: "response.output_text.delta",
      output_index: 0,
      item_id: "msg_1",
      content_index: 0,
      delta,
    }));
    const decoder = readerFor({ stop_sequences: ["END"] }).stream();
    const told = deltas.flatMap((event) => decoder.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`)));
    expect(told.at(-2)).toMatchObject({ type: "message_delta", delta: { stop_reason: "stop_sequence", stop_sequence: "END" } });
    expect(told.at(-1)).toEqual({ type: "message_stop" });
    expect(decoder.end()).toEqual([]);
  });
});
