/** Which part of a Claude Code session a request belongs to. */

import type { Json, RequestBody, Span } from "../body.ts";
import type { HeaderReader, RequestClass } from "../facts.ts";
import { record, text } from "./json.ts";

const hintHeader = "x-claude-code-request-class";

/**
 * Exact where the client sends its hint headers (`ccproxy run` asks for them). Without them only what is
 * beyond doubt is named, and the rest is `unknown`, never `main`:
 * - `subagent`: the billing block at the head of `system` says so;
 * - `auxiliary`: a server-side web search is the only declared tool;
 * - `compaction`: the last thing the user says asks for a summary of the conversation in the client's own
 *   words. The same words in a file that a tool read are no such request.
 */
export function classifyRequest(body: RequestBody, headers: HeaderReader, messages: readonly Span[]): RequestClass {
  const hint = headers.get(hintHeader);
  if (hint !== undefined) return isClass(hint) ? hint : "unknown";
  if (billingSaysSubagent(body)) return "subagent";
  if (onlyToolIsWebSearch(body)) return "auxiliary";
  const last = messages.at(-1);
  if (last !== undefined && asksForSummary(body, last)) return "compaction";
  return "unknown";
}

function isClass(value: string): value is RequestClass {
  return value === "main" || value === "subagent" || value === "auxiliary" || value === "compaction";
}

function billingSaysSubagent(body: RequestBody): boolean {
  const system = body.field("system");
  const first = system === undefined ? undefined : body.elements(system)[0];
  const block = first === undefined ? undefined : text(record(body.read(first))?.["text"]);
  return block !== undefined && block.startsWith("x-anthropic-billing-header:") && /\bcc_is_subagent=true\b/.test(block);
}

function onlyToolIsWebSearch(body: RequestBody): boolean {
  const tools = body.field("tools");
  const elements = tools === undefined ? [] : body.elements(tools);
  const only = elements.length === 1 ? elements[0] : undefined;
  return only !== undefined && (text(record(body.read(only))?.["type"]) ?? "").startsWith("web_search_");
}

const summaryRequest = "Your task is to create a detailed summary of the conversation so far";

function asksForSummary(body: RequestBody, last: Span): boolean {
  const slice = body.slice(last);
  // Most messages do not hold the words at all, and need no parsing.
  if (!Buffer.from(slice.buffer, slice.byteOffset, slice.length).includes(summaryRequest)) return false;
  const message = record(body.read(last));
  return message?.["role"] === "user" && (lastText(message["content"])?.includes(summaryRequest) ?? false);
}

/** The text of a plain message, or of the last block where that is a text. */
function lastText(content: Json | undefined): string | undefined {
  if (!Array.isArray(content)) return text(content);
  const block = record(content.at(-1));
  return block?.["type"] === "text" ? text(block["text"]) : undefined;
}
