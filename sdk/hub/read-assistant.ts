/** Content blocks of the hub as parts of an assistant's turn. */

import type { Json } from "../body.ts";
import type { JsonObject } from "../events.ts";
import type { HubRequest, Target } from "../wire.ts";
import type { AssistantPart, TextPart, ToolCallPart } from "./conversation.ts";
import { unseal } from "./envelope.ts";
import { record, text, type JsonRecord } from "./json.ts";
import { blocksOf, plainText, readContent, textPart, typeName, type Reading } from "./read-blocks.ts";
import { cacheOf } from "./read-marks.ts";
import { readSearchResult } from "./read-server-tools.ts";

export interface AssistantReading extends Reading {
  readonly request: HubRequest;
  readonly target: Target;
}

export function readAssistantBlock(block: JsonRecord, reading: AssistantReading): readonly AssistantPart[] {
  const type = text(block["type"]) ?? "";
  switch (type) {
    case "text":
      return textPart(text(block["text"]) ?? "", block);
    case "thinking":
      return readThinking(block, reading);
    case "redacted_thinking":
      reading.tally.add("thinking of another producer was left out");
      return [];
    case "tool_use":
      return [readCall(block, reading)];
    case "server_tool_use":
    case "mcp_tool_use":
      return textPart(readServerCall(block), block);
    case "web_search_tool_result":
      return textPart(readSearchResult(block["content"]), block);
    case "tool_search_tool_result":
      return readReferences(block, reading);
    case "compaction":
      return textPart(readCompaction(block, reading), block);
    case "tool_result":
    case "fallback":
      reading.tally.add(`a block of type ${type} was left out of an assistant's turn`);
      return [];
    case "mcp_tool_result":
    case "web_fetch_tool_result":
    case "code_execution_tool_result":
    case "bash_code_execution_tool_result":
    case "text_editor_code_execution_tool_result":
    case "advisor_tool_result":
      return textPart(readServerResult(block), block);
    case "image":
    case "document":
    case "search_result":
      return readContent(block, { ...reading, options: { ...reading.options, images: false, documents: false } }).flatMap((part) =>
        part.type === "text" ? [part] : [],
      );
    default:
      reading.tally.add(`a block of type ${typeName(block)} was left out of an assistant's turn`);
      return [];
  }
}

/** Only what this target's producer sealed may go back; what another made is refused there, or misread. */
function readThinking(block: JsonRecord, { request, target, tally }: AssistantReading): readonly AssistantPart[] {
  const sealed = unseal(text(block["signature"]) ?? "");
  if (sealed?.producer !== target.producer) {
    tally.add("thinking of another producer was left out");
    return [];
  }
  if (request.withoutThinking === true) {
    tally.add("thinking that the producer refused was left out");
    return [];
  }
  const words = text(block["thinking"]) ?? "";
  const payload = sealed.payload ?? undefined;
  return words === "" && payload === undefined ? [] : [{ type: "thinking", text: words, payload }];
}

function readCall(block: JsonRecord, { mentioned, tally }: AssistantReading): ToolCallPart {
  const name = text(block["name"]) ?? "";
  mentioned.add(name);
  const input = record(block["input"]) ?? parsedInput(block["input"]);
  if (input === undefined) tally.add("the input of a call was no object, and was left out");
  return { type: "tool_call", id: text(block["id"]) ?? "", name, input: input ?? {}, ...cacheOf(block) };
}

/** Some clients keep the text that was streamed. */
function parsedInput(input: Json | undefined): JsonObject | undefined {
  if (typeof input !== "string") return undefined;
  try {
    const value: Json = JSON.parse(input);
    return record(value);
  } catch {
    return undefined;
  }
}

function readServerCall(block: JsonRecord): string {
  const name = text(block["name"]) ?? "";
  const input = record(block["input"]) ?? {};
  const query = text(input["query"]);
  if (name === "web_search" && query !== undefined) return `[Searched the web for: ${query}]`;
  return `[Called the tool ${name} with ${JSON.stringify(input)}]`;
}

/** The words of a result, or what it says it is. */
function readServerResult(block: JsonRecord): string {
  const content = block["content"];
  const inner = record(content);
  const output = text(inner?.["stdout"]) ?? text(inner?.["text"]) ?? plainText(record(inner?.["content"])?.["source"] ?? content);
  const error = text(inner?.["error_code"]);
  if (error !== undefined) return `[The call failed: ${error}]`;
  return output === "" ? `[A result of the type "${typeName(block)}" was here; it could not be passed on.]` : `[Result]\n${output}`;
}

function readReferences(block: JsonRecord, reading: AssistantReading): readonly TextPart[] {
  const references = record(block["content"])?.["tool_references"];
  return blocksOf(references).flatMap((reference) =>
    readContent(reference, reading).flatMap((part) => (part.type === "text" ? [part] : [])),
  );
}

/** Stands for all that was said before it. */
function readCompaction(block: JsonRecord, { tally }: Reading): string {
  const summary = text(block["content"]) ?? plainText(block["content"]);
  if (summary === "") tally.add("a block of type compaction held no words and was left out");
  return summary === "" ? "" : `Summary of the conversation so far:\n${summary}`;
}
