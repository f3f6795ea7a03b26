/**
 * A scripted host that speaks Messages, typed by Anthropic's own SDK.
 * https://platform.claude.com/docs/en/build-with-claude/streaming, https://platform.claude.com/docs/en/api/errors,
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool.
 */

import type { ContentBlock, Message, RawContentBlockDelta, RawMessageStreamEvent, Usage } from "@anthropic-ai/sdk/resources/messages";

import {
  badRequestWords,
  brokenWords,
  defaultUsage,
  freshId,
  isCited,
  overflowTokens,
  pieces,
  retryAfterSeconds,
  type ReplyScript,
  type ScriptPart,
  type Source,
} from "./script.ts";
import { object, objects, text, type Asked, type AskedPart, type AskedTurn, type Failure, type Piece, type Wire } from "./wire.ts";

type WireEvent =
  | RawMessageStreamEvent
  | { readonly type: "ping" }
  | { readonly type: "error"; readonly error: { readonly type: string; readonly message: string } };

export const anthropicWire: Wire = {
  name: "anthropic",
  isGeneration: (path) => path.endsWith("/messages"),
  read,
  streamHeaders: { "content-type": "text/event-stream; charset=utf-8", "request-id": "req_messages" },
  stream,
  streamFailure: (message) => named({ type: "error", error: { type: "api_error", message } }),
  whole: (script, { model }) =>
    ({ ...messageOf(script, model), ...ending(script), content: blocksOf(script), usage: usageOf(script) }) satisfies Message,
  fail: (kind) => failures[kind],
};

const failures: Readonly<Record<Parameters<Wire["fail"]>[0], Failure>> = {
  "bad request": failure(400, "invalid_request_error", badRequestWords),
  "no such key": failure(401, "authentication_error", "invalid x-api-key"),
  "rate limit": failure(429, "rate_limit_error", "This request would exceed your organization's rate limit.", {
    "retry-after": String(retryAfterSeconds),
  }),
  broken: failure(500, "api_error", brokenWords),
  overflow: failure(
    400,
    "invalid_request_error",
    `prompt is too long: ${overflowTokens.tokens} tokens > ${overflowTokens.maximum} maximum`,
  ),
};

function failure(status: number, type: string, message: string, headers: Readonly<Record<string, string>> = {}): Failure {
  return {
    status,
    headers: { "request-id": "req_messages", ...headers },
    body: { type: "error", error: { type, message }, request_id: "req_messages" },
  };
}

function named(event: WireEvent): Uint8Array {
  return Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function stream(script: ReplyScript, { model }: Asked): readonly Piece[] {
  const piece = (event: WireEvent, isContent = false): Piece => ({ isContent, bytes: named(event) });
  const usage = usageOf(script);
  const sent = [piece({ type: "message_start", message: { ...messageOf(script, model), usage: { ...usage, output_tokens: 1 } } })];
  for (const [index, block] of blocksOf(script).entries()) {
    const { start, deltas } = told(block);
    sent.push(piece({ type: "content_block_start", index, content_block: start }));
    if (index === 0) sent.push(piece({ type: "ping" }));
    for (const delta of deltas) sent.push(piece({ type: "content_block_delta", index, delta }, delta.type !== "signature_delta"));
    sent.push(piece({ type: "content_block_stop", index }));
  }
  sent.push(piece({ type: "message_delta", delta: { ...ending(script), container: null }, usage }));
  sent.push(piece({ type: "message_stop" }));
  return sent;
}

/** How a block begins, and what is then added to it. */
function told(block: ContentBlock): { readonly start: ContentBlock; readonly deltas: readonly RawContentBlockDelta[] } {
  if (block.type === "text") {
    const citations = (block.citations ?? []).map((citation) => ({ type: "citations_delta" as const, citation }));
    const start = { ...block, text: "", ...(citations.length > 0 ? { citations: [] } : {}) };
    return { start, deltas: [...citations, ...pieces(block.text).map((piece) => ({ type: "text_delta" as const, text: piece }))] };
  }
  if (block.type === "thinking") {
    const thoughts = pieces(block.thinking).map((piece) => ({ type: "thinking_delta" as const, thinking: piece, estimated_tokens: null }));
    const start = { ...block, thinking: "", signature: "" };
    return { start, deltas: [...thoughts, { type: "signature_delta", signature: block.signature }] };
  }
  if (block.type === "tool_use" || block.type === "server_tool_use") {
    const json = ["", ...pieces(JSON.stringify(block.input))];
    return { start: { ...block, input: {} }, deltas: json.map((piece) => ({ type: "input_json_delta", partial_json: piece })) };
  }
  return { start: block, deltas: [] };
}

function messageOf(_script: ReplyScript, model: string): Message {
  return {
    id: `msg_${freshId()}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    container: null,
    diagnostics: null,
    stop_details: null,
    stop_reason: null,
    stop_sequence: null,
    usage: usageOf({ parts: [] }),
  };
}

function ending(script: ReplyScript): Pick<Message, "stop_reason" | "stop_sequence" | "stop_details"> {
  const has = (type: string): boolean => script.parts.some((part) => part.type === type);
  const reason = script.end === "length" ? "max_tokens" : has("refusal") ? "refusal" : has("call") ? "tool_use" : "end_turn";
  return { stop_reason: reason, stop_sequence: null, stop_details: null };
}

function blocksOf(script: ReplyScript): ContentBlock[] {
  return script.parts.flatMap((part, index) => blocksOfPart(part, isCited(script.parts, index)));
}

function blocksOfPart(part: ScriptPart, cited: Source | undefined): readonly ContentBlock[] {
  if (part.type === "refusal") return [{ type: "text", text: part.text, citations: null }];
  if (part.type === "thinking") return [{ type: "thinking", thinking: part.text, signature: part.state }];
  if (part.type === "call")
    return [{ type: "tool_use", id: `toolu_${part.id}`, name: part.name, input: part.input, caller: { type: "direct" } }];
  if (part.type === "text") {
    const location = { type: "web_search_result_location" as const, cited_text: part.text, encrypted_index: "index" };
    return [{ type: "text", text: part.text, citations: cited === undefined ? null : [{ ...location, ...cited }] }];
  }
  const id = `srvtoolu_${freshId()}`;
  const found = { type: "web_search_result" as const, encrypted_content: "content", page_age: null };
  const content = part.sources.map((source) => ({ ...found, ...source }));
  return [
    { type: "server_tool_use", id, name: "web_search", input: { query: part.query }, caller: { type: "direct" } },
    { type: "web_search_tool_result", tool_use_id: id, content, caller: { type: "direct" } },
  ];
}

function usageOf({ usage = defaultUsage, parts }: Pick<ReplyScript, "usage" | "parts">): Usage {
  const searches = parts.filter((part) => part.type === "search").length;
  return {
    input_tokens: usage.input - usage.cached,
    output_tokens: usage.output,
    cache_read_input_tokens: usage.cached,
    cache_creation_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens_details: usage.reasoning === 0 ? null : { thinking_tokens: usage.reasoning },
    server_tool_use: searches === 0 ? null : { web_search_requests: searches, web_fetch_requests: 0 },
    inference_geo: null,
    service_tier: "standard",
    speed: null,
  };
}

function read(request: Asked["request"]): Asked {
  const body = object(request.json(), "body");
  const system: string[] = partsRead(body["system"] ?? [], "system").map(wordsOf);
  const turns: AskedTurn[] = [];
  for (const [index, message] of objects(body["messages"], "messages").entries()) {
    const where = `messages[${index}]`;
    const parts = partsRead(message["content"], `${where}.content`);
    if (message["role"] === "system") system.push(...parts.map(wordsOf));
    else if (message["role"] === "user" || message["role"] === "assistant") turns.push({ role: message["role"], parts });
    else throw new Error(`${where}.role is ${String(message["role"])}`);
  }
  return {
    request,
    body,
    model: text(body["model"], "model"),
    stream: body["stream"] === true,
    system: system.join("\n"),
    turns,
    tools: objects(body["tools"], "tools").map((tool, index) => text(tool["name"], `tools[${index}].name`)),
  };
}

function wordsOf(part: AskedPart): string {
  return part.type === "text" ? part.text : "";
}

function partsRead(content: unknown, where: string): readonly AskedPart[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return objects(content, where).flatMap((block, index): readonly AskedPart[] => {
    const at = `${where}[${index}]`;
    switch (block["type"]) {
      case "text":
        return [{ type: "text", text: text(block["text"], at) }];
      case "image":
      case "document": {
        const source = object(block["source"], `${at}.source`);
        const data = text(source["data"], `${at}.source.data`);
        return [
          block["type"] === "image" ? { type: "image", mediaType: text(source["media_type"], at), data } : { type: "document", data },
        ];
      }
      case "tool_use":
        return [
          { type: "call", id: bare(text(block["id"], at)), name: text(block["name"], at), input: object(block["input"], `${at}.input`) },
        ];
      case "tool_result": {
        const inner = partsRead(block["content"] ?? [], `${at}.content`);
        return [
          { type: "result", id: bare(text(block["tool_use_id"], at)), text: inner.map(wordsOf).join("") },
          ...inner.filter((part) => part.type !== "text"),
        ];
      }
      case "thinking":
        return [{ type: "thinking", text: text(block["thinking"], at), state: text(block["signature"], `${at}.signature`) }];
      case "redacted_thinking":
        return [{ type: "thinking", text: "", state: text(block["data"], at) }];
      // What only Anthropic's own clients send is of no interest here.
      default:
        return [];
    }
  });
}

/** As in the script; an id that this host never gave out is marked. */
function bare(id: string): string {
  return id.startsWith("toolu_") ? id.slice("toolu_".length) : `?${id}`;
}
