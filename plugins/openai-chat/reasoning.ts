/** What a model thought before, on its way back to the host that wants it back: under the host's own name, in order, whole. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { AssistantPart, ThinkingPart } from "../../sdk/hub/conversation.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { ChatQuirks } from "../../sdk/quirks.ts";

/** What is sealed into a block of thinking: where its text came from, and what else came with it. */
export type ReasoningPayload = {
  readonly field: ReasoningField;
  /** `reasoning_details` as they came, in order. */
  readonly details?: readonly JsonObject[];
};

export type ReasoningField = NonNullable<ChatQuirks["reasoningField"]>;

/** Fields of an assistant message; none where nothing goes back. */
export function reasoningFields(parts: readonly AssistantPart[], quirks: ChatQuirks, content: Json): JsonObject {
  const { reasoningField } = quirks;
  if (reasoningField === undefined) return {};
  const thinking = parts.filter((part) => part.type === "thinking");
  const words = thinking.map((part) => part.text).join("");
  if (words === "" && !thinking.some((part) => record(part.payload ?? null)?.["details"] !== undefined)) {
    const required = quirks.reasoningRequired === true && parts.some((part) => part.type === "tool_call");
    return required && reasoningField !== "thinking_parts" ? { [textField(reasoningField)]: "" } : {};
  }
  if (reasoningField === "thinking_parts") return { content: [thinkingPart(words), ...asParts(content)] };
  const details = joinDetails(thinking.flatMap(detailsOf));
  if (reasoningField === "reasoning_details" && details.length > 0) return { reasoning_details: details };
  return { [fieldOf(thinking, textField(reasoningField))]: words };
}

/** Hosts that take details back take plain text, too. */
function textField(field: ReasoningField): string {
  return field === "reasoning_content" ? field : "reasoning";
}

/** Versions of one host differ in the name; the one it used itself is the one it knows. */
function fieldOf(thinking: readonly ThinkingPart[], configured: string): string {
  const used = thinking.map((part) => text(record(part.payload ?? null)?.["field"])).find((field) => field !== undefined);
  return used === "reasoning_content" || used === "reasoning" ? used : configured;
}

function detailsOf(part: ThinkingPart): readonly JsonObject[] {
  const details = record(part.payload ?? null)?.["details"];
  return Array.isArray(details) ? records(details) : [];
}

function thinkingPart(words: string): JsonObject {
  return { type: "thinking", thinking: [{ type: "text", text: words }] };
}

function asParts(content: Json): readonly Json[] {
  if (Array.isArray(content)) return content;
  return typeof content === "string" && content !== "" ? [{ type: "text", text: content }] : [];
}

/** Those elements that are objects. */
export function records(values: readonly Json[]): readonly JsonObject[] {
  return values.map((value) => record(value)).filter((value) => value !== undefined);
}

/** Pieces of one detail carry the same type and index; their texts belong together, of the rest the last word counts. */
export function joinDetails(pieces: readonly JsonObject[]): readonly JsonObject[] {
  const joined: JsonObject[] = [];
  const places = new Map<string, number>();
  for (const piece of pieces) {
    const key = JSON.stringify([piece["type"], piece["index"]]);
    const place = places.get(key);
    const before = place === undefined ? undefined : joined[place];
    if (before !== undefined && place !== undefined && piece["index"] !== undefined && belongs(before, piece)) {
      joined[place] = join(before, piece);
    } else {
      places.set(key, joined.push(piece) - 1);
    }
  }
  return joined;
}

function belongs(before: JsonObject, piece: JsonObject): boolean {
  const [one, other] = [text(before["id"]), text(piece["id"])];
  return one === undefined || other === undefined || one === other;
}

const growing = new Set(["text", "summary", "data"]);

function join(before: JsonObject, piece: JsonObject): JsonObject {
  const said = Object.entries(piece).filter(([, value]) => value !== null);
  const grown = said.map(([key, value]): [string, Json] => {
    const known = before[key];
    const grows = growing.has(key) && typeof known === "string" && typeof value === "string";
    // An encrypted blob that is told twice is still one.
    return [key, grows && !(key === "data" && known === value) ? known + value : value];
  });
  return { ...before, ...Object.fromEntries(grown) };
}
