/**
 * A scripted host that speaks Responses, typed by OpenAI's own SDK.
 * https://platform.openai.com/docs/api-reference/responses, https://platform.openai.com/docs/api-reference/responses-streaming,
 * https://platform.openai.com/docs/guides/reasoning (encrypted reasoning), https://platform.openai.com/docs/guides/tools-web-search.
 */

import type {
  Response,
  ResponseFunctionToolCall,
  ResponseFunctionWebSearch,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseOutputText,
  ResponseReasoningItem,
  ResponseStreamEvent,
  ResponseUsage,
} from "openai/resources/responses/responses";

import {
  badRequestWords,
  brokenWords,
  defaultUsage,
  freshId,
  isCited,
  pieces,
  retryAfterSeconds,
  type ReplyScript,
  type ScriptPart,
  type Source,
} from "./script.ts";
import { dataUrl, object, objects, text, type Asked, type AskedPart, type AskedTurn, type Failure, type Piece, type Wire } from "./wire.ts";

/** The SDK adds a field of its own to what comes over the wire. */
type WireResponse = Omit<Response, "output_text">;
/** An event as its place in the stream is not known yet. */
type Draft = ResponseStreamEvent extends infer Event
  ? Event extends { sequence_number: number }
    ? Omit<Event, "sequence_number">
    : never
  : never;

export const openaiResponsesWire: Wire = {
  name: "openai-responses",
  isGeneration: (path) => path.endsWith("/responses"),
  read,
  streamHeaders: { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_responses", "openai-version": "2020-10-01" },
  stream,
  streamFailure: (message) => named({ type: "error", code: "server_error", message, param: null, sequence_number: 99 }),
  whole,
  fail: (kind) => failures[kind],
};

const failures: Readonly<Record<Parameters<Wire["fail"]>[0], Failure>> = {
  "bad request": failure(400, { message: badRequestWords, type: "invalid_request_error", param: "input", code: null }),
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
        "Rate limit reached for gpt-6-sol in organization org-0123456789abcdefghijklmn on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.",
      type: "tokens",
      param: null,
      code: "rate_limit_exceeded",
    },
    { "retry-after": String(retryAfterSeconds), "openai-organization": "org-0123456789abcdefghijklmn" },
  ),
  broken: failure(500, { message: brokenWords, type: "server_error", param: null, code: "server_error" }),
  // No figures are said here.
  overflow: failure(400, {
    message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
    type: "invalid_request_error",
    param: "input",
    code: "context_length_exceeded",
  }),
};

function failure(status: number, error: unknown, headers: Readonly<Record<string, string>> = {}): Failure {
  return { status, headers: { "x-request-id": "req_responses", ...headers }, body: { error } };
}

function named(event: ResponseStreamEvent): Uint8Array {
  return Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** An item of the output, with the events that carry its content. */
interface Item {
  readonly done: ResponseOutputItem;
  readonly added: ResponseOutputItem;
  events(outputIndex: number): readonly { readonly event: Draft; readonly isContent: boolean }[];
}

function stream(script: ReplyScript, asked: Asked): readonly Piece[] {
  const items = itemsOf(script);
  const id = `resp_${freshId()}`;
  let sequence = 0;
  const piece = (event: Draft, isContent = false): Piece => ({
    isContent,
    bytes: named({ ...event, sequence_number: sequence++ }),
  });
  const response = (state: Partial<WireResponse>): Response => ({ ...envelope(id, asked), ...state }) as Response;
  const sent = [
    piece({ type: "response.created", response: response({ status: "in_progress" }) }),
    piece({ type: "response.in_progress", response: response({ status: "in_progress" }) }),
  ];
  for (const [index, item] of items.entries()) {
    sent.push(piece({ type: "response.output_item.added", output_index: index, item: item.added }));
    for (const { event, isContent } of item.events(index)) sent.push(piece(event, isContent));
    sent.push(piece({ type: "response.output_item.done", output_index: index, item: item.done }));
  }
  const end = response({ ...ending(script), output: items.map((item) => item.done), usage: usageOf(script) });
  sent.push(
    piece(script.end === "length" ? { type: "response.incomplete", response: end } : { type: "response.completed", response: end }),
  );
  return sent;
}

function whole(script: ReplyScript, asked: Asked): WireResponse {
  return {
    ...envelope(`resp_${freshId()}`, asked),
    ...ending(script),
    output: itemsOf(script).map((item) => item.done),
    usage: usageOf(script),
  };
}

function ending(script: ReplyScript): Pick<WireResponse, "status" | "incomplete_details"> {
  return script.end === "length"
    ? { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }
    : { status: "completed", incomplete_details: null };
}

function envelope(id: string, { model, body }: Asked): WireResponse {
  return {
    id,
    object: "response",
    created_at: 1_795_000_000,
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: typeof body["instructions"] === "string" ? body["instructions"] : null,
    max_output_tokens: null,
    model,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: "default",
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
    metadata: {},
  };
}

function usageOf({ usage = defaultUsage }: ReplyScript): ResponseUsage {
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: 0 },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
  };
}

function itemsOf(script: ReplyScript): readonly Item[] {
  return script.parts.map((part, index) => itemOf(part, isCited(script.parts, index)));
}

function itemOf(part: ScriptPart, cited: Source | undefined): Item {
  const id = freshId();
  if (part.type === "refusal") return refusalItem(`msg_${id}`, part.text);
  if (part.type === "thinking") return reasoningItem(`rs_${id}`, part.text, part.state);
  if (part.type === "call") return callItem(`fc_${id}`, part);
  if (part.type === "search") return searchItem(`ws_${id}`, part);
  const annotations: ResponseOutputText["annotations"] =
    cited === undefined ? [] : [{ type: "url_citation", ...cited, start_index: 0, end_index: Array.from(part.text).length }];
  return textItem(`msg_${id}`, part.text, annotations);
}

function message(id: string, status: "in_progress" | "completed", content: ResponseOutputMessage["content"]): ResponseOutputMessage {
  return { id, type: "message", status, content, role: "assistant" };
}

function textItem(id: string, said: string, annotations: ResponseOutputText["annotations"]): Item {
  const part: ResponseOutputText = { type: "output_text", annotations, logprobs: [], text: said };
  return {
    added: message(id, "in_progress", []),
    done: message(id, "completed", [part]),
    events: (output_index) => {
      const at = { item_id: id, output_index, content_index: 0 };
      return [
        { isContent: false, event: { type: "response.content_part.added", ...at, part: { ...part, annotations: [], text: "" } } },
        ...pieces(said).map((delta) => ({
          isContent: true,
          event: { type: "response.output_text.delta" as const, ...at, delta, logprobs: [] },
        })),
        ...annotations.map((annotation, annotation_index) => ({
          isContent: false,
          event: { type: "response.output_text.annotation.added" as const, ...at, annotation_index, annotation },
        })),
        { isContent: false, event: { type: "response.output_text.done", ...at, text: said, logprobs: [] } },
        { isContent: false, event: { type: "response.content_part.done", ...at, part } },
      ];
    },
  };
}

function refusalItem(id: string, refusal: string): Item {
  const part = { type: "refusal" as const, refusal };
  return {
    added: message(id, "in_progress", []),
    done: message(id, "completed", [part]),
    events: (output_index) => {
      const at = { item_id: id, output_index, content_index: 0 };
      return [
        { isContent: false, event: { type: "response.content_part.added", ...at, part: { ...part, refusal: "" } } },
        ...pieces(refusal).map((delta) => ({ isContent: true, event: { type: "response.refusal.delta" as const, ...at, delta } })),
        { isContent: false, event: { type: "response.refusal.done", ...at, refusal } },
        { isContent: false, event: { type: "response.content_part.done", ...at, part } },
      ];
    },
  };
}

function reasoningItem(id: string, thought: string, state: string): Item {
  const summary: ResponseReasoningItem["summary"] = thought === "" ? [] : [{ type: "summary_text", text: thought }];
  return {
    // What the added item carries is not the final token.
    added: { id, type: "reasoning", encrypted_content: "not-final", summary: [] },
    done: { id, type: "reasoning", encrypted_content: state, summary },
    events: (output_index) =>
      summary.flatMap((part, summary_index) => {
        const at = { item_id: id, output_index, summary_index };
        return [
          {
            isContent: false,
            event: { type: "response.reasoning_summary_part.added" as const, ...at, part: { type: "summary_text" as const, text: "" } },
          },
          ...pieces(part.text).map((delta) => ({
            isContent: true,
            event: { type: "response.reasoning_summary_text.delta" as const, ...at, delta },
          })),
          { isContent: false, event: { type: "response.reasoning_summary_text.done" as const, ...at, text: part.text } },
          { isContent: false, event: { type: "response.reasoning_summary_part.done" as const, ...at, part } },
        ];
      }),
  };
}

function callItem(id: string, part: { readonly id: string; readonly name: string; readonly input: unknown }): Item {
  const json = JSON.stringify(part.input);
  const call: ResponseFunctionToolCall = {
    id,
    type: "function_call",
    status: "completed",
    arguments: json,
    call_id: `call_${part.id}`,
    name: part.name,
  };
  return {
    added: { ...call, status: "in_progress", arguments: "" },
    done: call,
    events: (output_index) => {
      const at = { item_id: id, output_index };
      return [
        ...pieces(json).map((delta) => ({
          isContent: true,
          event: { type: "response.function_call_arguments.delta" as const, ...at, delta },
        })),
        { isContent: false, event: { type: "response.function_call_arguments.done", ...at, arguments: json, name: part.name } },
      ];
    },
  };
}

function searchItem(id: string, part: { readonly query: string; readonly sources: readonly { readonly url: string }[] }): Item {
  const found: ResponseFunctionWebSearch = {
    id,
    type: "web_search_call",
    status: "completed",
    action: { type: "search", query: part.query, queries: [part.query], sources: part.sources.map(({ url }) => ({ type: "url", url })) },
  };
  return {
    added: { ...found, status: "in_progress" },
    done: found,
    events: (output_index) =>
      (["in_progress", "searching", "completed"] as const).map((state) => ({
        isContent: false,
        event: { type: `response.web_search_call.${state}`, item_id: id, output_index },
      })),
  };
}

function read(request: Asked["request"]): Asked {
  const body = object(request.json(), "body");
  const system: string[] = typeof body["instructions"] === "string" ? [body["instructions"]] : [];
  const turns: AskedTurn[] = [];
  const input = typeof body["input"] === "string" ? [{ role: "user", content: body["input"] }] : objects(body["input"], "input");
  for (const [index, item] of input.entries()) {
    const where = `input[${index}]`;
    const type = "type" in item ? item["type"] : "message";
    switch (type) {
      case "message": {
        const parts = messageParts(item["content"], where);
        if (item["role"] === "user" || item["role"] === "assistant") turns.push({ role: item["role"], parts });
        else system.push(parts.map((part) => (part.type === "text" ? part.text : "")).join(""));
        break;
      }
      case "reasoning": {
        const thought = objects(item["summary"], `${where}.summary`).map((part) => text(part["text"], `${where}.summary`));
        turns.push({
          role: "assistant",
          parts: [{ type: "thinking", text: thought.join("\n\n"), state: text(item["encrypted_content"], `${where}.encrypted_content`) }],
        });
        break;
      }
      case "function_call": {
        const called: unknown = JSON.parse(text(item["arguments"], `${where}.arguments`));
        turns.push({
          role: "assistant",
          parts: [{ type: "call", id: bare(text(item["call_id"], where)), name: text(item["name"], where), input: called }],
        });
        break;
      }
      case "function_call_output": {
        const parts = messageParts(item["output"], where);
        const said = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
        const rest = parts.filter((part) => part.type !== "text");
        turns.push({ role: "user", parts: [{ type: "result", id: bare(text(item["call_id"], where)), text: said }, ...rest] });
        break;
      }
      case "web_search_call":
        text(item["id"], `${where}.id`);
        break;
      default:
        throw new Error(`${where}.type is ${String(type)}`);
    }
  }
  return {
    request,
    body,
    model: text(body["model"], "model"),
    stream: body["stream"] === true,
    system: system.join("\n"),
    turns,
    tools: objects(body["tools"], "tools").map((tool) => String(tool["name"] ?? tool["type"])),
  };
}

function messageParts(content: unknown, where: string): readonly AskedPart[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return objects(content, `${where}.content`).map((part, index): AskedPart => {
    const at = `${where}.content[${index}]`;
    switch (part["type"]) {
      case "input_text":
      case "output_text":
        return { type: "text", text: text(part["text"], at) };
      case "refusal":
        return { type: "text", text: text(part["refusal"], at) };
      case "input_image":
        return { type: "image", ...dataUrl(text(part["image_url"], `${at}.image_url`), at) };
      case "input_file":
        return { type: "document", data: dataUrl(text(part["file_data"], `${at}.file_data`), at).data };
      default:
        throw new Error(`${at}.type is ${String(part["type"])}`);
    }
  });
}

/** As in the script; an id that this host never gave out is marked. */
function bare(id: string): string {
  return id.startsWith("call_") ? id.slice("call_".length) : `?${id}`;
}
