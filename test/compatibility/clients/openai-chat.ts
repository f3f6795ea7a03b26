/** OpenAI's SDK, Chat Completions. */

import OpenAI, { APIError, APIUserAbortError } from "openai";
import type {
  ChatCompletion,
  ChatCompletionContentPart,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessage,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";

import { headerSeconds, type Chat, type ChatOptions, type Client, type Said, type Seen, type UserTurn } from "./client.ts";

export const openaiChatClient: Client = {
  name: "openai-chat",
  seesRetryAfter: true,
  hasImagesInResults: false,
  open,
  failure: openaiFailure,
};

export function openaiFailure(error: unknown): Seen {
  if (error instanceof APIUserAbortError) return { status: undefined, message: error.message, retryAfter: undefined, isAbort: true };
  if (!(error instanceof APIError)) return { status: undefined, message: String(error), retryAfter: undefined, isAbort: false };
  const body: unknown = error.error;
  const told = typeof body === "object" && body !== null && "message" in body ? String(body.message) : error.message;
  return { status: error.status, message: told, retryAfter: headerSeconds(error.headers), isAbort: false };
}

/** What hosts with thoughts add to a message, and want back in it. */
interface Thoughts {
  reasoning_content?: string;
  reasoning_details?: unknown[];
}

function open(options: ChatOptions): Chat {
  const client = new OpenAI({ apiKey: "sk-of-the-caller", baseURL: `${options.baseUrl}/v1`, maxRetries: 0 });
  let { model } = options;
  const messages: ChatCompletionMessageParam[] = options.system === undefined ? [] : [{ role: "system", content: options.system }];
  return {
    async say(turn, how, { signal, onText, model: next = model } = {}) {
      model = next;
      messages.push(...messagesOf(turn));
      const request: ChatCompletionCreateParamsNonStreaming = {
        model,
        max_completion_tokens: 4000,
        messages,
        ...(options.tools === undefined
          ? {}
          : {
              tools: options.tools.map(({ name, description, schema }) => ({
                type: "function" as const,
                function: { name, description, parameters: { ...schema } },
              })),
            }),
        ...(options.thinking === true ? { reasoning_effort: "medium" as const } : {}),
        ...(options.webSearch === true ? { web_search_options: {} } : {}),
      };
      const requestOptions = signal === undefined ? {} : { signal };
      if (how === "whole") {
        const completion = await client.chat.completions.create(request, requestOptions);
        const message = firstMessage(completion);
        messages.push(message);
        return said(completion, message, 0);
      }
      const thoughts: Thoughts = {};
      let deltas = 0;
      const stream = client.chat.completions.stream({ ...request, stream: true, stream_options: { include_usage: true } }, requestOptions);
      for await (const chunk of stream) {
        const delta: (Thoughts & { readonly content?: string | null }) | undefined = chunk.choices[0]?.delta;
        if (typeof delta?.content === "string" && delta.content !== "") {
          deltas += 1;
          onText?.(delta.content);
        }
        if (typeof delta?.reasoning_content === "string")
          thoughts.reasoning_content = (thoughts.reasoning_content ?? "") + delta.reasoning_content;
        if (Array.isArray(delta?.reasoning_details))
          thoughts.reasoning_details = [...(thoughts.reasoning_details ?? []), ...delta.reasoning_details];
      }
      const completion = await stream.finalChatCompletion();
      // The SDK's own gathering keeps the last piece only of fields that it does not know.
      const message = { ...firstMessage(completion), ...thoughts };
      messages.push(plain(message));
      return said(completion, message, deltas);
    },
  };
}

function firstMessage(completion: ChatCompletion): ChatCompletionMessage & Thoughts {
  const [choice] = completion.choices;
  if (choice === undefined) throw new Error("a completion without a choice");
  return choice.message;
}

/** The stream helper adds what it parsed; that is not part of the protocol. */
function plain(message: ChatCompletionMessage & Thoughts): ChatCompletionMessage & Thoughts {
  const { parsed: _parsed, ...rest } = message as ChatCompletionMessage & Thoughts & { readonly parsed?: unknown };
  if (rest.tool_calls === undefined) return rest;
  const calls = rest.tool_calls.map((call) =>
    call.type === "function"
      ? { id: call.id, type: call.type, function: { name: call.function.name, arguments: call.function.arguments } }
      : call,
  );
  return { ...rest, tool_calls: calls };
}

function messagesOf({ text, images = [], document, results = [] }: UserTurn): ChatCompletionMessageParam[] {
  const parts: ChatCompletionContentPart[] = [
    ...images.map(({ mediaType, data }) => ({ type: "image_url" as const, image_url: { url: `data:${mediaType};base64,${data}` } })),
    ...(document === undefined
      ? []
      : [{ type: "file" as const, file: { filename: "report.pdf", file_data: `data:application/pdf;base64,${document}` } }]),
    ...(text === undefined ? [] : [{ type: "text" as const, text }]),
  ];
  return [
    ...results.map((result) => ({ role: "tool" as const, tool_call_id: result.call.id, content: result.text })),
    ...(parts.length === 0 ? [] : [{ role: "user" as const, content: parts }]),
  ];
}

function said(completion: ChatCompletion, message: ChatCompletionMessage & Thoughts, deltas: number): Said {
  const reason = completion.choices[0]?.finish_reason;
  const refused = typeof message.refusal === "string" && message.refusal !== "";
  return {
    text: refused ? (message.refusal ?? "") : (message.content ?? ""),
    thinking: message.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).flatMap((call) =>
      call.type === "function" ? [{ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) }] : [],
    ),
    end: refused || reason === "content_filter" ? "refusal" : reason === "tool_calls" ? "tools" : reason === "length" ? "length" : "stop",
    inputTokens: completion.usage?.prompt_tokens ?? -1,
    cachedTokens: completion.usage?.prompt_tokens_details?.cached_tokens ?? 0,
    outputTokens: completion.usage?.completion_tokens ?? -1,
    deltas,
    sources: (message.annotations ?? []).map((annotation) => annotation.url_citation.url),
  };
}
