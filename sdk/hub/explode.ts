/** Tells a whole message in the events that would have streamed it. */

import type { Json } from "../body.ts";
import type { JsonObject } from "../events.ts";
import { parseExactly } from "./exact-json.ts";
import { record, text } from "./json.ts";

/** Said at the end of a stream, in the delta of the message. */
const deltaFields = ["stop_reason", "stop_sequence", "stop_details", "container"];
/** Said at the end of a stream, beside the delta. */
const lateFields = ["context_management", "input_transformations"];

/**
 * One delta for each text, input and signature. Put together again they give the same message.
 * @returns JSON texts; undefined when the text is no message
 */
export function explode(json: string): readonly string[] | undefined {
  const message = parseMessage(json);
  if (message === undefined) return undefined;
  const { content } = message;
  const blocks = Array.isArray(content) ? content : [];
  const start = Object.fromEntries(Object.entries(message).flatMap(([key, value]) => startOf(key, value)));
  const events: JsonObject[] = [
    { type: "message_start", message: start },
    ...blocks.flatMap((block, index) => [...blockEvents(block, index)]),
    { ...pick(message, lateFields), type: "message_delta", delta: pick(message, deltaFields), usage: record(message["usage"]) ?? {} },
    { type: "message_stop" },
  ];
  return events.map((event) => JSON.stringify(event));
}

const late: ReadonlySet<string> = new Set([...deltaFields, ...lateFields]);

/** What the first event says of a field, in the field's own place. */
function startOf(key: string, value: Json): readonly (readonly [key: string, value: Json])[] {
  if (key === "content" && Array.isArray(value)) return [[key, []]];
  // Clients read these two from the first event on.
  if (key === "stop_reason" || key === "stop_sequence") return [[key, null]];
  return late.has(key) ? [] : [[key, value]];
}

function parseMessage(json: string): JsonObject | undefined {
  try {
    const value = record(parseExactly(json));
    return value?.["type"] === "message" ? value : undefined;
  } catch {
    return undefined;
  }
}

function pick(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}

function* blockEvents(block: Json, index: number): Generator<JsonObject> {
  const { start, deltas } = split(block);
  yield { type: "content_block_start", index, content_block: start };
  for (const delta of deltas) yield { type: "content_block_delta", index, delta };
  yield { type: "content_block_stop", index };
}

interface SplitBlock {
  readonly start: Json;
  readonly deltas: readonly JsonObject[];
}

function split(value: Json): SplitBlock {
  const block = record(value);
  switch (text(block?.["type"]) ?? "") {
    case "text":
      return splitText(block ?? {});
    case "thinking":
      return splitThinking(block ?? {});
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use":
      return splitInput(block ?? {});
    default:
      // Results of tools on the server, images and the rest come whole in a stream too.
      return { start: value, deltas: [] };
  }
}

function splitText(block: JsonObject): SplitBlock {
  const content = text(block["text"]);
  const citations = block["citations"];
  const start = {
    ...block,
    ...(content === undefined ? {} : { text: "" }),
    ...(Array.isArray(citations) ? { citations: [] } : {}),
  };
  const deltas: JsonObject[] = Array.isArray(citations) ? citations.map((citation) => ({ type: "citations_delta", citation })) : [];
  if (content !== undefined && content !== "") deltas.unshift({ type: "text_delta", text: content });
  return { start, deltas };
}

function splitThinking(block: JsonObject): SplitBlock {
  const thinking = text(block["thinking"]);
  const signature = text(block["signature"]);
  const start = {
    ...block,
    ...(thinking === undefined ? {} : { thinking: "" }),
    ...(signature === undefined ? {} : { signature: "" }),
  };
  const deltas: JsonObject[] = [];
  if (thinking !== undefined && thinking !== "") deltas.push({ type: "thinking_delta", thinking });
  if (signature !== undefined && signature !== "") deltas.push({ type: "signature_delta", signature });
  return { start, deltas };
}

function splitInput(block: JsonObject): SplitBlock {
  const json = inputText(block["input"]);
  if (json === undefined) return { start: block, deltas: [] };
  return { start: { ...block, input: {} }, deltas: [{ type: "input_json_delta", partial_json: json }] };
}

/** Undefined where the start of the block can hold the input as it is. */
function inputText(input: Json | undefined): string | undefined {
  if (typeof input === "string") return input === "" || isJson(input) ? undefined : input;
  const object = record(input);
  return object === undefined || Object.keys(object).length === 0 ? undefined : JSON.stringify(object);
}

/** The text of an input that was cut off is no JSON. */
function isJson(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
