/**
 * Thinking of the hub in a client's messages, which know no such thing: as `thinking_blocks`, LiteLLM's form of it.
 * A message of this wire is text and then calls; thinking that stood elsewhere than in front carries its place sealed.
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { hubProducer, seal, unseal } from "../../sdk/hub/envelope.ts";
import { record, text } from "../../sdk/hub/json.ts";

/** What of a message came before its thinking. */
export interface ThinkingPlace {
  readonly hasText: boolean;
  /** How many calls. */
  readonly calls: number;
}

interface PlacedThinking extends ThinkingPlace {
  readonly block: JsonObject;
}

/** @param block `thinking` or `redacted_thinking` of the hub */
export function packThinking(block: JsonObject, { hasText, calls }: ThinkingPlace): JsonObject {
  const field = opaqueField(block);
  const opaque = text(block[field]) ?? "";
  const packed = hasText || calls > 0 ? seal({ producer: hubProducer, payload: [opaque, hasText, calls] }) : opaque;
  return field === "data"
    ? { type: "redacted_thinking", data: packed }
    : { type: "thinking", thinking: text(block["thinking"]) ?? "", signature: packed };
}

/** What a client sends back; blocks without a signature are nobody's and left out. */
export function unpackThinking(blocks: readonly Json[]): readonly PlacedThinking[] {
  return blocks.flatMap((value) => {
    const block = record(value);
    if (block === undefined) return [];
    const field = opaqueField(block);
    const packed = text(block[field]) ?? "";
    if (packed === "") return [];
    const sealed = unseal(packed);
    const [opaque, hasText, calls] =
      sealed?.producer === hubProducer && Array.isArray(sealed.payload) ? sealed.payload : [packed, false, 0];
    const kept = text(opaque) ?? "";
    const own =
      field === "data"
        ? { type: "redacted_thinking", data: kept }
        : { type: "thinking", thinking: text(block["thinking"]) ?? "", signature: kept };
    return [{ block: own, hasText: hasText === true, calls: typeof calls === "number" ? calls : 0 }];
  });
}

/** Text, calls and thinking in the order in which they were said. */
export function placeThinking(
  said: readonly JsonObject[],
  calls: readonly JsonObject[],
  thinking: readonly PlacedThinking[],
): readonly JsonObject[] {
  const at = (place: (thought: PlacedThinking) => boolean): readonly JsonObject[] => thinking.filter(place).map(({ block }) => block);
  return [
    ...at((thought) => thought.calls === 0 && !thought.hasText),
    ...said,
    ...at((thought) => thought.calls === 0 && thought.hasText),
    ...calls.flatMap((call, index) => [call, ...at((thought) => thought.calls === index + 1)]),
    ...at((thought) => thought.calls > calls.length),
  ];
}

function opaqueField(block: JsonObject): "data" | "signature" {
  return block["type"] === "redacted_thinking" ? "data" : "signature";
}
