/** What the bench sends and what it expects back: the same bytes in every process that asks. */

import { claudeCodeBody } from "../test/helpers/claude-body.ts";
import { encodeEvent, messageEvents, messageObject, type ReplyMessage } from "../test/helpers/events.ts";

export type BodySize = "50k" | "1m";
/** `stream`: server-sent events; `plain`: one JSON object. */
export type ReplyForm = "stream" | "plain";
/** The protocol that the client of a lane speaks, or the upstream. */
export type BenchDialect = "anthropic" | "openai-chat";

export const benchModel = "claude-sonnet-5-5";
export const bodySizes: readonly BodySize[] = ["50k", "1m"];
const bodyBytes: Readonly<Record<BodySize, number>> = { "50k": 50 * 1024, "1m": 1024 * 1024 };
/** Events of one streamed reply, from `message_start` to `message_stop`. */
const eventsPerReply = 60;

/** A request body, always the same for the same arguments. The plain form differs in the `stream` flag only. */
export function requestBody(size: BodySize, form: ReplyForm, dialect: BenchDialect = "anthropic"): Buffer {
  if (dialect === "openai-chat") return chatRequestBody(size, form);
  const text = claudeCodeBody({ model: benchModel, bytes: bodyBytes[size] }).toString();
  const flag = '"stream":true}';
  if (!text.endsWith(flag)) throw new Error("the body generator no longer ends with the stream flag");
  return Buffer.from(form === "stream" ? text : `${text.slice(0, -flag.length)}"stream":false}`);
}

/** The text that the whole reply says, for lanes that write the reply anew. */
const replyText: string = Array.from(
  // message_start, block start, ping, block stop, message_delta and message_stop are six.
  { length: eventsPerReply - 6 },
  (_, index) => `piece ${String(index).padStart(2, "0")} of the answer; `,
).join("");

const message: ReplyMessage = {
  blocks: [{ type: "text", text: replyText }],
  model: benchModel,
  usage: { input_tokens: 12_000, output_tokens: 400 },
  deltasPerBlock: eventsPerReply - 6,
};

/** One buffer per event. */
export function streamedReply(dialect: BenchDialect = "anthropic"): readonly Buffer[] {
  if (dialect === "openai-chat") return chatEvents();
  const events = messageEvents(message).map(encodeEvent);
  if (events.length !== eventsPerReply) throw new Error(`${events.length} events were built, ${eventsPerReply} are wanted`);
  return events;
}

export function plainReply(dialect: BenchDialect = "anthropic"): Buffer {
  return Buffer.from(JSON.stringify(dialect === "openai-chat" ? chatCompletion() : messageObject(message)));
}

const chatUsage = {
  prompt_tokens: 12_000,
  completion_tokens: 400,
  total_tokens: 12_400,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

function chatCompletion(): unknown {
  const choice = { index: 0, message: { role: "assistant", content: replyText, refusal: null }, logprobs: null, finish_reason: "stop" };
  return {
    id: "chatcmpl-bench",
    object: "chat.completion",
    created: 1_795_000_000,
    model: benchModel,
    choices: [choice],
    usage: chatUsage,
  };
}

/** As many pieces of text as the other wire's stream has. */
function chatEvents(): readonly Buffer[] {
  const base = { id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1_795_000_000, model: benchModel };
  const chunk = (delta: object, finish_reason: string | null = null): unknown => ({
    ...base,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
  const pieces = replyText.match(/piece \d\d of the answer; /g) ?? [];
  const events: readonly unknown[] = [
    chunk({ role: "assistant", content: "" }),
    ...pieces.map((content) => chunk({ content })),
    chunk({}, "stop"),
    { ...base, choices: [], usage: chatUsage },
  ];
  return [...events.map((event) => Buffer.from(`data: ${JSON.stringify(event)}\n\n`)), Buffer.from("data: [DONE]\n\n")];
}

interface BenchBlock {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly tool_use_id?: string;
  readonly content?: string | readonly BenchBlock[];
}

/** The same conversation as a client of Chat Completions would send it. */
function chatRequestBody(size: BodySize, form: ReplyForm): Buffer {
  const body = JSON.parse(requestBody(size, form).toString()) as {
    readonly system: readonly BenchBlock[];
    readonly messages: readonly { readonly role: "user" | "assistant" | "system"; readonly content: string | readonly BenchBlock[] }[];
    readonly tools: readonly { readonly name: string; readonly description?: string; readonly input_schema?: unknown }[];
  };
  const words = (content: string | readonly BenchBlock[] | undefined): string =>
    typeof content === "string" ? content : (content ?? []).map((block) => block.text ?? "").join("");
  const messages = body.messages.flatMap(({ role, content }): unknown[] => {
    const blocks: readonly BenchBlock[] = typeof content === "string" ? [{ type: "text", text: content }] : content;
    const calls = blocks.flatMap(({ type, id, name, input }) =>
      type === "tool_use" ? [{ id, type: "function", function: { name, arguments: JSON.stringify(input) } }] : [],
    );
    const results = blocks.flatMap((block) =>
      block.type === "tool_result" ? [{ role: "tool", tool_call_id: block.tool_use_id, content: words(block.content) }] : [],
    );
    const text = words(blocks.filter((block) => block.type === "text"));
    if (role === "assistant") return [{ role, content: text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }];
    return text === "" ? results : [...results, { role, content: text }];
  });
  const tools = body.tools
    .filter((tool) => tool.input_schema !== undefined)
    .map(({ name, description, input_schema }) => ({ type: "function", function: { name, description, parameters: input_schema } }));
  const stream = form === "stream" ? { stream: true, stream_options: { include_usage: true } } : { stream: false };
  return Buffer.from(
    JSON.stringify({
      model: benchModel,
      messages: [{ role: "system", content: words(body.system) }, ...messages],
      tools,
      max_tokens: 32_000,
      ...stream,
    }),
  );
}

/** Headers as the client sends them, without host and length. */
export const requestHeaders: Readonly<Record<string, string>> = {
  accept: "application/json",
  "content-type": "application/json",
  "user-agent": "claude-cli/2.1.330 (external, sdk-cli)",
  "x-api-key": "sk-ant-bench",
  "anthropic-version": "2023-06-01",
  "anthropic-beta":
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,prompt-caching-scope-2026-01-05,effort-2025-11-24",
  "anthropic-dangerous-direct-browser-access": "true",
  "x-app": "cli",
  "x-stainless-arch": "x64",
  "x-stainless-lang": "js",
  "x-stainless-os": "Linux",
  "x-stainless-package-version": "0.94.0",
  "x-stainless-retry-count": "0",
  "x-stainless-runtime": "node",
  "x-stainless-runtime-version": "v24.3.0",
  "x-stainless-timeout": "600",
  "x-claude-code-session-id": "0b7d2c1e-5a4f-4c3b-9f1e-2d3c4b5a6978",
};
