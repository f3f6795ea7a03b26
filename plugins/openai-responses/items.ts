/**
 * The turns of a conversation as items of this wire. Each item is made from its own turn alone, so that the items of a
 * conversation are a prefix of those of the one it grows into.
 */

import type { AssistantPart, ContentPart, Conversation, ThinkingPart, ToolResultPart, Turn, UserPart } from "../../sdk/hub/conversation.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import { wireCallId } from "./call-ids.ts";
import type { Family } from "./models.ts";
import type { WireFunctionCallOutput, WireInputItem, WirePart, WireReasoning } from "./wire.ts";

export interface ItemOptions {
  readonly family: Family;
  readonly names: ToolNames;
  readonly note: Note;
}

/**
 * The system's texts lead the items rather than stand in `instructions`: those are repeated in three events of every
 * reply, and a host would have no place for what the system says later on.
 */
export function encodeItems({ system, turns }: Conversation, options: ItemOptions): readonly WireInputItem[] {
  const first: WireInputItem[] =
    system.length === 0 ? [] : [{ type: "message", role: systemRole(options), content: system.map(({ text: words }) => inputText(words)) }];
  return [...first, ...turns.flatMap((turn) => encodeTurn(turn, options))];
}

function systemRole({ family }: ItemOptions): "system" | "developer" {
  return family.isVendors ? "developer" : "system";
}

function encodeTurn(turn: Turn, options: ItemOptions): readonly WireInputItem[] {
  switch (turn.role) {
    case "system":
      return [{ type: "message", role: systemRole(options), content: [inputText(turn.text)] }];
    case "assistant":
      return assistantItems(turn.parts, options);
    case "user":
    default:
      return userItems(turn.parts);
  }
}

function userItems(parts: readonly UserPart[]): readonly WireInputItem[] {
  const items: WireInputItem[] = [];
  let content: WirePart[] = [];
  for (const part of parts) {
    if (part.type === "tool_result") {
      if (content.length > 0) items.push({ type: "message", role: "user", content });
      content = [];
      items.push(encodeResult(part));
    } else {
      content.push(encodePart(part));
    }
  }
  if (content.length > 0) items.push({ type: "message", role: "user", content });
  return items;
}

function encodeResult({ id, content, isError }: ToolResultPart): WireFunctionCallOutput {
  const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const said = texts.join("\n");
  const start = { type: "function_call_output", call_id: wireCallId(id) } as const;
  // The wire has no mark for a failure.
  if (texts.length === content.length) return { ...start, output: isError ? `Error: ${said}` : said };
  const parts = content.map(encodePart);
  return { ...start, output: isError ? [inputText("Error:"), ...parts] : parts };
}

function encodePart(part: ContentPart): WirePart {
  switch (part.type) {
    case "image":
      return { type: "input_image", image_url: part.url ?? `data:${part.mediaType};base64,${part.data ?? ""}`, detail: "auto" };
    case "text":
      return inputText(part.text);
    case "document":
    default:
      if (part.url !== undefined) return { type: "input_file", file_url: part.url };
      return { type: "input_file", filename: fileName(part.title), file_data: `data:${part.mediaType};base64,${part.data ?? ""}` };
  }
}

/** The ending says what it is. */
function fileName(title: string | undefined): string {
  const name = title === undefined || title === "" ? "document" : title;
  return name.toLowerCase().endsWith(".pdf") ? name : `${name}.pdf`;
}

function inputText(words: string): WirePart {
  return { type: "input_text", text: words };
}

function assistantItems(parts: readonly AssistantPart[], { family, names, note }: ItemOptions): readonly WireInputItem[] {
  const lastCall = parts.findLastIndex((part) => part.type === "tool_call");
  const lastSaid = parts.findLastIndex((part) => part.type !== "thinking");
  return parts.flatMap((part, index): readonly WireInputItem[] => {
    switch (part.type) {
      case "thinking":
        // "Item 'rs_…' of type 'reasoning' was provided without its required following item."
        if (index < lastSaid) return reasoningItem(part, family, note);
        note("reasoning was left out that nothing followed");
        return [];
      case "tool_call":
        return [
          { type: "function_call", call_id: wireCallId(part.id), name: names.alias(part.name), arguments: JSON.stringify(part.input) },
        ];
      case "text":
      default:
        return [
          {
            type: "message",
            role: "assistant",
            content: part.text,
            ...(family.hasPhases ? { phase: index < lastCall ? "commentary" : "final_answer" } : {}),
          },
        ];
    }
  });
}

/** As `sealReasoning` packed it. What has neither cipher nor words of an open model could only be looked up, and nothing is stored. */
function reasoningItem(part: ThinkingPart, { reasons }: Family, note: Note): readonly WireReasoning[] {
  const payload = record(part.payload);
  const id = text(payload?.["id"]);
  const encrypted = text(payload?.["encrypted_content"]);
  const isOpen = payload?.["open"] === true && part.text !== "";
  if (!reasons || (encrypted === undefined && !isOpen)) {
    note("reasoning was left out that cannot be given back");
    return [];
  }
  return [
    {
      type: "reasoning",
      ...(id === undefined ? {} : { id }),
      summary: part.text === "" || isOpen ? [] : [{ type: "summary_text", text: part.text }],
      ...(isOpen ? { content: [{ type: "reasoning_text", text: part.text }] } : {}),
      ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
    },
  ];
}
