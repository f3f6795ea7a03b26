/** Tells an item of reasoning: one block of thinking, sealed with what its producer wants back. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import { type ItemTeller, type Telling, rest } from "./telling.ts";
import { isList } from "./wire.ts";

/** Between parts of a summary, each of which has a heading. */
const partBreak = "\n\n";

export function createReasoningTeller({ writer, producer }: Telling): ItemTeller {
  /** Of one of the two: some hosts send the same words as both. */
  let source: "summary" | "content" | undefined;
  let index: number | undefined;
  /** Characters of the part. */
  let told = 0;
  const seen = new Set<number>();

  function say(from: "summary" | "content", part: number, piece: string): void {
    if (piece === "" || (source !== undefined && source !== from)) return;
    if (part !== index) {
      if (seen.has(part)) return;
      if (index !== undefined) writer.thinking(partBreak);
      index = part;
      told = 0;
      seen.add(part);
    }
    source = from;
    told += piece.length;
    writer.thinking(piece);
  }

  function complete(from: "summary" | "content", part: number, whole: string | undefined): void {
    say(from, part, rest(whole, part === index && source === from ? told : 0));
  }

  return {
    push(type, event) {
      const summary = position(event["summary_index"]);
      const content = position(event["content_index"]);
      switch (type) {
        case "response.reasoning_summary_text.delta":
          say("summary", summary, text(event["delta"]) ?? "");
          return;
        case "response.reasoning_summary_text.done":
          complete("summary", summary, text(event["text"]));
          return;
        case "response.reasoning_summary_part.done":
          complete("summary", summary, text(record(event["part"])?.["text"]));
          return;
        case "response.reasoning_text.delta":
          say("content", content, text(event["delta"]) ?? "");
          return;
        case "response.reasoning_text.done":
          complete("content", content, text(event["text"]));
          return;
        default:
      }
    },
    close(item) {
      for (const from of ["summary", "content"] as const) {
        const parts = isList(item?.[from]) ? item[from] : [];
        for (const [part, value] of parts.entries()) complete(from, part, text(record(value)?.["text"]));
      }
      const payload = payloadOf(item, source === "content");
      // Nothing was said, and there is nothing to give back.
      if (source === undefined && payload === null) return;
      writer.signature(seal({ producer, payload }));
    },
  };
}

/** The words themselves stand in the block. Sealed even where nothing can be given back: nobody else's signature goes on it. */
function payloadOf(item: JsonRecord | undefined, isOpen: boolean): JsonObject | null {
  const id = text(item?.["id"]);
  const encrypted = text(item?.["encrypted_content"]);
  if (encrypted === undefined || encrypted === "") return isOpen ? { ...(id === undefined ? {} : { id }), open: true } : null;
  return { ...(id === undefined ? {} : { id }), encrypted_content: encrypted };
}

function position(value: Json | undefined): number {
  return typeof value === "number" ? value : 0;
}
