/**
 * Thinking that other vendors' models left in a conversation: the vendor checks the signature of every thinking block,
 * and refuses the request over one that is not its own.
 */

import type { Json, RequestBody } from "../../sdk/body.ts";
import { isSealed, sealMark } from "../../sdk/hub/envelope.ts";
import { parseExactly } from "../../sdk/hub/exact-json.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";

/** The same body where there is none: then nothing of it is parsed. */
export function withoutForeignThinking(body: RequestBody): RequestBody {
  if (!Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.length).includes(sealMark)) return body;
  const span = body.field("messages");
  if (span === undefined) return body;
  const messages = parseExactly(Buffer.from(body.slice(span)).toString("utf8"));
  if (!Array.isArray(messages)) return body;
  return body.edit([{ field: "messages", value: messages.map(withoutForeign) }]);
}

function withoutForeign(value: Json): Json {
  const message = record(value);
  const content = message?.["content"];
  if (message === undefined || !Array.isArray(content)) return value;
  const searches = new Set(content.flatMap((block) => foreignSearch(record(block)) ?? []));
  const own = content.flatMap((value): Json[] => {
    const block = record(value);
    if (block === undefined) return [value];
    if (isForeign(block) || (block["type"] === "server_tool_use" && searches.has(text(block["id"]) ?? ""))) return [];
    if (foreignSearch(block) !== undefined) return [searchInWords(block)];
    return [withoutForeignCitations(block)];
  });
  if (own.length > 0) return { ...message, content: own };
  // A message says something: what was thought stands in for what was not said.
  const thoughts = content.map((block) => text(record(block)?.["thinking"]) ?? "");
  const said = thoughts.join("\n").trim();
  return { ...message, content: [{ type: "text", text: said === "" ? "(no answer)" : said }] };
}

function isForeign(block: JsonRecord): boolean {
  if (block["type"] === "redacted_thinking") return isSealed(text(block["data"]) ?? "");
  return block["type"] === "thinking" && isSealed(text(block["signature"]) ?? "");
}

/** The id of the search whose results were not this vendor's: they hold encrypted text that it could not read. */
function foreignSearch(block: JsonRecord | undefined): string | undefined {
  if (block?.["type"] !== "web_search_tool_result" || !Array.isArray(block["content"])) return undefined;
  const isSealedResult = (result: Json): boolean => isSealed(text(record(result)?.["encrypted_content"]) ?? "");
  return block["content"].some(isSealedResult) ? (text(block["tool_use_id"]) ?? "") : undefined;
}

function searchInWords({ content }: JsonRecord): Json {
  const results = Array.isArray(content) ? content.map((result) => record(result) ?? {}) : [];
  const lines = results.map((result) => `- ${text(result["title"]) ?? ""}: ${text(result["url"]) ?? ""}`);
  return { type: "text", text: ["Search results:", ...lines].join("\n") };
}

function withoutForeignCitations(block: JsonRecord): Json {
  const { citations, ...rest } = block;
  if (!Array.isArray(citations)) return block;
  return citations.some((citation) => isSealed(text(record(citation)?.["encrypted_index"]) ?? "")) ? rest : block;
}
