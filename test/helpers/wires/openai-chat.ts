/**
 * A scripted host that speaks Chat Completions, typed by OpenAI's own SDK.
 * https://platform.openai.com/docs/api-reference/chat (object, streaming), https://platform.openai.com/docs/guides/error-codes,
 * https://api-docs.deepseek.com/guides/thinking_mode (`reasoning_content`).
 */

import type { ChatCompletion, ChatCompletionChunk, ChatCompletionMessageFunctionToolCall } from "openai/resources/chat/completions";
import type { CompletionUsage } from "openai/resources/completions";

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
} from "./script.ts";
import {
  dataEvent,
  dataUrl,
  object,
  objects,
  text,
  type Asked,
  type AskedPart,
  type AskedTurn,
  type Failure,
  type Piece,
  type Wire,
} from "./wire.ts";

/** What OpenAI's own models never send, and most others do. */
interface Reasoning {
  readonly reasoning_content?: string;
}
type Delta = ChatCompletionChunk.Choice.Delta & Reasoning & { readonly annotations?: ChatCompletion.Choice["message"]["annotations"] };

export const openaiChatWire: Wire = {
  name: "openai-chat",
  isGeneration: (path) => path.endsWith("/chat/completions"),
  read,
  streamHeaders: {
    "content-type": "text/event-stream; charset=utf-8",
    "x-request-id": "req_chat",
    "openai-version": "2020-10-01",
    "openai-processing-ms": "12",
  },
  stream,
  streamFailure: (message) => dataEvent({ error: { message, type: "server_error", param: null, code: null } }),
  whole,
  fail: (kind) => failures[kind],
};

const failures: Readonly<Record<Parameters<Wire["fail"]>[0], Failure>> = {
  "bad request": failure(400, { message: badRequestWords, type: "invalid_request_error", param: "messages", code: null }),
  "no such key": failure(401, {
    message: "Incorrect API key provided: sk-depl*****-key. You can find your API key at https://platform.openai.com/account/api-keys.",
    type: "invalid_request_error",
    param: null,
    code: "invalid_api_key",
  }),
  "rate limit": failure(
    429,
    {
      message:
        "Rate limit reached for gpt-6-sol in organization org-0123456789abcdefghijklmn on requests per min (RPM): Limit 3, Used 3, Requested 1.",
      type: "requests",
      param: null,
      code: "rate_limit_exceeded",
    },
    {
      "retry-after": String(retryAfterSeconds),
      "retry-after-ms": String(retryAfterSeconds * 1000),
      "openai-organization": "org-0123456789abcdefghijklmn",
    },
  ),
  broken: failure(500, { message: brokenWords, type: "server_error", param: null, code: null }),
  overflow: failure(400, {
    message: `This model's maximum context length is ${overflowTokens.maximum} tokens. However, your messages resulted in ${overflowTokens.tokens} tokens. Please reduce the length of the messages.`,
    type: "invalid_request_error",
    param: "messages",
    code: "context_length_exceeded",
  }),
};

function failure(status: number, error: unknown, headers: Readonly<Record<string, string>> = {}): Failure {
  return { status, headers: { "x-request-id": "req_chat", ...headers }, body: { error } };
}

function stream(script: ReplyScript, { model, body }: Asked): readonly Piece[] {
  const options = body["stream_options"];
  const wantsUsage = typeof options === "object" && options !== null && "include_usage" in options && options.include_usage === true;
  const id = `chatcmpl-${freshId()}`;
  const chunk = (choices: ChatCompletionChunk["choices"], usage: CompletionUsage | null = null): Uint8Array => {
    const event: ChatCompletionChunk & { readonly obfuscation?: string } = {
      id,
      object: "chat.completion.chunk",
      created: 1_795_000_000,
      model,
      service_tier: "default",
      system_fingerprint: "fp_scripted",
      choices,
      ...(wantsUsage ? { usage } : {}),
      obfuscation: "pad",
    };
    return dataEvent(event);
  };
  const delta = (value: Delta, isContent = true): Piece => ({
    isContent,
    bytes: chunk([{ index: 0, delta: value, logprobs: null, finish_reason: null }]),
  });

  const sent: Piece[] = [delta({ role: "assistant", content: "", refusal: null }, false)];
  let toolIndex = 0;
  for (const [index, part] of script.parts.entries()) {
    switch (part.type) {
      case "text": {
        for (const piece of pieces(part.text)) sent.push(delta({ content: piece }));
        const cited = isCited(script.parts, index);
        if (cited !== undefined) sent.push(delta({ annotations: [citation(cited, part.text)] }, false));
        break;
      }
      case "thinking":
        for (const piece of pieces(part.text)) sent.push(delta({ content: null, reasoning_content: piece }));
        break;
      case "refusal":
        for (const piece of pieces(part.text)) sent.push(delta({ refusal: piece }));
        break;
      case "call":
        sent.push(
          delta(
            { tool_calls: [{ index: toolIndex, id: `call_${part.id}`, type: "function", function: { name: part.name, arguments: "" } }] },
            false,
          ),
        );
        for (const piece of pieces(JSON.stringify(part.input)))
          sent.push(delta({ tool_calls: [{ index: toolIndex, function: { arguments: piece } }] }));
        toolIndex += 1;
        break;
      case "search":
        break;
    }
  }
  sent.push({ isContent: false, bytes: chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: finishReason(script) }]) });
  if (wantsUsage) sent.push({ isContent: false, bytes: chunk([], usageOf(script)) });
  sent.push({ isContent: false, bytes: dataEvent("[DONE]") });
  return sent;
}

function whole(script: ReplyScript, { model }: Asked): ChatCompletion {
  const all = (type: "text" | "thinking" | "refusal"): string | null => {
    const texts = script.parts.flatMap((part) => (part.type === type ? [part.text] : []));
    return texts.length === 0 ? null : texts.join("");
  };
  const tools = script.parts.flatMap((part): ChatCompletionMessageFunctionToolCall[] =>
    part.type === "call"
      ? [{ id: `call_${part.id}`, type: "function", function: { name: part.name, arguments: JSON.stringify(part.input) } }]
      : [],
  );
  const annotations = script.parts.flatMap((part, index) => {
    const cited = isCited(script.parts, index);
    return part.type === "text" && cited !== undefined ? [citation(cited, part.text)] : [];
  });
  const reasoning = all("thinking");
  const message: ChatCompletion.Choice["message"] & Reasoning = {
    role: "assistant",
    content: all("text"),
    refusal: all("refusal"),
    annotations,
    ...(reasoning === null ? {} : { reasoning_content: reasoning }),
    ...(tools.length === 0 ? {} : { tool_calls: tools }),
  };
  return {
    id: `chatcmpl-${freshId()}`,
    object: "chat.completion",
    created: 1_795_000_000,
    model,
    service_tier: "default",
    system_fingerprint: "fp_scripted",
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(script) }],
    usage: usageOf(script),
  };
}

function finishReason(script: ReplyScript): "stop" | "length" | "tool_calls" {
  if (script.end !== undefined) return script.end;
  return script.parts.some((part) => part.type === "call") ? "tool_calls" : "stop";
}

function usageOf({ usage = defaultUsage }: ReplyScript): CompletionUsage {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function citation(
  source: { readonly url: string; readonly title: string },
  cited: string,
): NonNullable<ChatCompletion.Choice["message"]["annotations"]>[number] {
  return { type: "url_citation", url_citation: { ...source, start_index: 0, end_index: Array.from(cited).length } };
}

function read(request: Asked["request"]): Asked {
  const body = object(request.json(), "body");
  const system: string[] = [];
  const turns: AskedTurn[] = [];
  for (const [index, message] of objects(body["messages"], "messages").entries()) {
    const where = `messages[${index}]`;
    switch (message["role"]) {
      case "system":
      case "developer":
        system.push(
          contentParts(message["content"], where)
            .map((part) => (part.type === "text" ? part.text : ""))
            .join(""),
        );
        break;
      case "user":
        turns.push({ role: "user", parts: contentParts(message["content"], where) });
        break;
      case "tool": {
        const parts = contentParts(message["content"], where);
        const said = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
        const images = parts.filter((part) => part.type !== "text");
        turns.push({
          role: "user",
          parts: [{ type: "result", id: bare(text(message["tool_call_id"], `${where}.tool_call_id`)), text: said }, ...images],
        });
        break;
      }
      case "assistant":
        turns.push({ role: "assistant", parts: assistantParts(message, where) });
        break;
      default:
        throw new Error(`${where}.role is ${String(message["role"])}`);
    }
  }
  return {
    request,
    body,
    model: text(body["model"], "model"),
    stream: body["stream"] === true,
    system: system.join("\n"),
    turns,
    tools: [
      ...objects(body["tools"], "tools").map((tool, index) =>
        text(object(tool["function"], `tools[${index}].function`)["name"], `tools[${index}].function.name`),
      ),
      // A search is no tool here, but a switch.
      ...("web_search_options" in body ? ["web_search_options"] : []),
    ],
  };
}

function contentParts(content: unknown, where: string): readonly AskedPart[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return objects(content, `${where}.content`).map((part, index): AskedPart => {
    const at = `${where}.content[${index}]`;
    switch (part["type"]) {
      case "text":
        return { type: "text", text: text(part["text"], `${at}.text`) };
      case "image_url":
        return { type: "image", ...dataUrl(text(object(part["image_url"], at)["url"], `${at}.image_url.url`), at) };
      case "file":
        return { type: "document", data: dataUrl(text(object(part["file"], at)["file_data"], `${at}.file.file_data`), at).data };
      default:
        throw new Error(`${at}.type is ${String(part["type"])}`);
    }
  });
}

function assistantParts(message: Readonly<Record<string, unknown>>, where: string): readonly AskedPart[] {
  const parts: AskedPart[] = [];
  const reasoning = message["reasoning_content"];
  if (typeof reasoning === "string" && reasoning !== "") parts.push({ type: "thinking", text: reasoning, state: "" });
  if (typeof message["content"] === "string" || Array.isArray(message["content"])) parts.push(...contentParts(message["content"], where));
  for (const [index, call] of objects(message["tool_calls"], `${where}.tool_calls`).entries()) {
    const called = object(call["function"], `${where}.tool_calls[${index}].function`);
    const input: unknown = JSON.parse(text(called["arguments"], `${where}.tool_calls[${index}].function.arguments`));
    parts.push({ type: "call", id: bare(text(call["id"], `${where}.tool_calls[${index}].id`)), name: text(called["name"], "name"), input });
  }
  return parts;
}

/** As in the script; an id that this host never gave out is marked. */
function bare(id: string): string {
  return id.startsWith("call_") ? id.slice("call_".length) : `?${id}`;
}
