/** Random replies of the hub: whole messages, and the events that tell them in random pieces. */

import * as fc from "fast-check";

import type { JsonObject } from "../../../sdk/events.ts";
import { record, text } from "../../../sdk/hub/json.ts";

/** Declared by the client, each in another way. */
export const clientTools: readonly JsonObject[] = [
  { type: "function", name: "Bash", parameters: { type: "object", properties: { command: { type: "string" } } }, strict: false },
  { type: "custom", name: "apply_patch", format: { type: "grammar", syntax: "lark", definition: 'start: "x"' } },
  { type: "namespace", name: "mcp__files", tools: [{ type: "function", name: "read", parameters: null }] },
  { type: "tool_search", execution: "client", parameters: { type: "object", properties: { query: { type: "string" } } } },
  { type: "web_search" },
];

const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const pieces = fc.array(words, { minLength: 1, maxLength: 4 });

export interface HubBlock {
  /** As the whole message has it. */
  readonly block: JsonObject;
  readonly start: JsonObject;
  readonly deltas: readonly JsonObject[];
}

const textBlock: fc.Arbitrary<HubBlock> = fc.record({ pieces, cites: fc.boolean() }).map(({ pieces: said, cites }) => {
  const citations = cites
    ? [{ type: "web_search_result_location", url: "https://example.com/a", title: "A", cited_text: "", encrypted_index: "E" }]
    : [];
  return {
    block: { type: "text", text: said.join(""), ...(cites ? { citations } : {}) },
    start: { type: "text", text: "" },
    deltas: [
      ...said.map((piece) => ({ type: "text_delta", text: piece })),
      ...citations.map((citation) => ({ type: "citations_delta", citation })),
    ],
  };
});

const thinkingBlock: fc.Arbitrary<HubBlock> = fc
  .record({ thoughts: fc.array(words, { maxLength: 3 }), signature: fc.constantFrom("", "EqQBCgIYAhIM+/=") })
  .map(({ thoughts, signature }) => ({
    block: { type: "thinking", thinking: thoughts.join(""), signature },
    start: { type: "thinking", thinking: "", signature: "" },
    deltas: [
      ...thoughts.map((piece) => ({ type: "thinking_delta", thinking: piece })),
      ...(signature === "" ? [] : [{ type: "signature_delta", signature }]),
    ],
  }));

const redactedBlock: fc.Arbitrary<HubBlock> = fc.constant({ type: "redacted_thinking", data: "EmwKAhgB" }).map((block) => ({
  block,
  start: block,
  deltas: [],
}));

function cutUp(json: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (json.length + 1)).sort((a, b) => a - b), json.length];
  return places.slice(1).map((end, index) => json.slice(places[index], end));
}

const toolBlock: fc.Arbitrary<HubBlock> = fc
  .record({
    id: fc.uuid().map((id) => `toolu_${id}`),
    name: fc.constantFrom("Bash", "apply_patch", "mcp__files__read", "tool_search", "Undeclared"),
    value: words,
    cuts: fc.array(fc.nat(), { maxLength: 4 }),
  })
  .map(({ id, name, value, cuts }) => {
    const input = { input: value };
    return {
      block: { type: "tool_use", id, name, input },
      start: { type: "tool_use", id, name, input: {} },
      deltas: cutUp(JSON.stringify(input), cuts).map((partial_json) => ({ type: "input_json_delta", partial_json })),
    };
  });

const emptyCall: fc.Arbitrary<HubBlock> = fc.uuid().map((id) => {
  const block = { type: "tool_use", id: `toolu_${id}`, name: "Bash", input: {} };
  return { block, start: block, deltas: [] };
});

/** A call and what it found. */
const searchBlocks: fc.Arbitrary<readonly HubBlock[]> = fc
  .record({ number: fc.nat(), query: words, fails: fc.boolean() })
  .map(({ number, query, fails }) => {
    const id = `srvtoolu_${number}`;
    const result = fails
      ? { type: "web_search_tool_result", tool_use_id: id, content: { type: "web_search_tool_result_error", error_code: "unavailable" } }
      : {
          type: "web_search_tool_result",
          tool_use_id: id,
          content: [{ type: "web_search_result", title: "A", url: "https://example.com/a", page_age: null, encrypted_content: "E" }],
        };
    return [
      {
        block: { type: "server_tool_use", id, name: "web_search", input: { query } },
        start: { type: "server_tool_use", id, name: "web_search", input: {} },
        deltas: [{ type: "input_json_delta", partial_json: JSON.stringify({ query }) }],
      },
      { block: result, start: result, deltas: [] },
    ];
  });

/** What this wire has nothing like. */
const strangeBlock: fc.Arbitrary<HubBlock> = fc.constantFrom("code_execution_tool_result", "container_upload", "novelty").map((type) => {
  const block = { type, content: "x" };
  return { block, start: block, deltas: [] };
});

export interface HubReply {
  readonly message: JsonObject;
  readonly blocks: readonly HubBlock[];
  readonly events: readonly JsonObject[];
}

export const hubReply: fc.Arbitrary<HubReply> = fc
  .record({
    groups: fc.array(
      fc.oneof(
        textBlock.map((one) => [one]),
        thinkingBlock.map((one) => [one]),
        redactedBlock.map((one) => [one]),
        toolBlock.map((one) => [one]),
        emptyCall.map((one) => [one]),
        searchBlocks,
        strangeBlock.map((one) => [one]),
      ),
      { maxLength: 6 },
    ),
    stop: fc.constantFrom("end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal", "pause_turn", "model_context_window_exceeded"),
    usage: fc.record({
      input_tokens: fc.nat(1000),
      output_tokens: fc.nat(1000),
      cache_read_input_tokens: fc.nat(1000),
      cache_creation_input_tokens: fc.nat(1000),
    }),
    pings: fc.boolean(),
  })
  .map(({ groups, stop, usage, pings }) => {
    const blocks = groups.flat();
    const message: JsonObject = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-opus-5-5",
      content: blocks.map(({ block }) => block),
      stop_reason: stop,
      stop_sequence: null,
      usage,
    };
    const ping = pings ? [{ type: "ping" }] : [];
    const events: JsonObject[] = [
      { type: "message_start", message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } },
      ...blocks.flatMap(({ start, deltas }, index) => [
        { type: "content_block_start", index, content_block: start },
        ...ping,
        ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
        { type: "content_block_stop", index },
      ]),
      { type: "message_delta", delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: usage.output_tokens } },
      { type: "message_stop" },
    ];
    return { message, blocks, events };
  });

/** All that a message of the hub says. */
export function textOf(message: JsonObject): string {
  const { content } = message;
  const blocks = Array.isArray(content) ? content : [];
  return blocks.flatMap((block) => text(record(block)?.["text"]) ?? []).join("");
}

/** Blocks of a message of the hub that are of these types. */
export function blocksOf(message: JsonObject, ...types: readonly string[]): readonly JsonObject[] {
  const { content } = message;
  const blocks = Array.isArray(content) ? content.map((block) => record(block) ?? {}) : [];
  return blocks.filter((block) => types.includes(text(block["type"]) ?? ""));
}
