/** What the system says: at the top, and in between. */

import type { Json } from "../body.ts";
import type { JsonObject } from "../events.ts";
import type { TextPart } from "./conversation.ts";
import { record, text, type JsonRecord } from "./json.ts";
import { blocksOf, textPart, type Reading } from "./read-blocks.ts";

/** Of no use but to the hub's vendor, and another one in every release. */
const billing = "x-anthropic-billing-header";

/** The texts of the top-level field. */
export function readSystem(system: Json | undefined): readonly TextPart[] {
  return blocksOf(system).flatMap((block) => textPart(withoutBilling(text(block["text"]) ?? ""), block));
}

function withoutBilling(words: string): string {
  if (!words.startsWith(billing)) return words;
  const end = words.indexOf("\n");
  return end === -1 ? "" : words.slice(end + 1).trimStart();
}

/** A message of the system between others; empty where it only sets something. */
export function readSystemMessage(message: JsonObject, reading: Reading): string {
  return blocksOf(message["content"])
    .map((block) => systemWords(block, reading))
    .filter((words) => words !== "")
    .join("\n");
}

function systemWords(block: JsonRecord, { mentioned, tally }: Reading): string {
  switch (text(block["type"]) ?? "") {
    case "text":
      return text(block["text"]) ?? "";
    case "tool_addition": {
      const name = changedTool(block);
      mentioned.add(name);
      return name === "" ? "" : `The tool ${name} can be called from now on.`;
    }
    // The list of tools only grows, or the caches of all providers were lost.
    case "tool_removal": {
      const name = changedTool(block);
      return name === "" ? "" : `The tool ${name} must not be called any more.`;
    }
    default:
      tally.add("a block that is no text was left out of the system's words");
      return "";
  }
}

function changedTool(block: JsonRecord): string {
  const tool = record(block["tool"]);
  return text(tool?.["name"]) ?? text(record(tool?.["definition"])?.["name"]) ?? "";
}

/** The tools that messages of the system define themselves. */
export function inlineTools(messages: readonly JsonObject[]): readonly JsonRecord[] {
  return messages
    .filter((message) => message["role"] === "system")
    .flatMap((message) => blocksOf(message["content"]))
    .filter((block) => block["type"] === "tool_addition")
    .map((block) => record(record(block["tool"])?.["definition"]))
    .filter((tool) => tool !== undefined);
}
