/** Anthropic's SDK. */

import Anthropic, { APIError, APIUserAbortError } from "@anthropic-ai/sdk";
import type {
  ContentBlockParam,
  ImageBlockParam,
  Message,
  MessageCreateParamsBase,
  MessageParam,
  StopReason,
} from "@anthropic-ai/sdk/resources/messages";

import { headerSeconds, type Chat, type ChatOptions, type Client, type Image, type Said, type UserTurn } from "./client.ts";

export const anthropicClient: Client = {
  name: "anthropic",
  seesRetryAfter: true,
  hasImagesInResults: true,
  open,
  failure(error) {
    if (error instanceof APIUserAbortError) return { status: undefined, message: error.message, retryAfter: undefined, isAbort: true };
    if (!(error instanceof APIError)) return { status: undefined, message: String(error), retryAfter: undefined, isAbort: false };
    const body: unknown = error.error;
    return { status: error.status, message: messageIn(body) ?? error.message, retryAfter: headerSeconds(error.headers), isAbort: false };
  },
};

function messageIn(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || !("error" in body)) return undefined;
  const { error } = body;
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : undefined;
}

function open(options: ChatOptions): Chat {
  const client = new Anthropic({ apiKey: "sk-ant-of-the-caller", baseURL: options.baseUrl, maxRetries: 0 });
  let { model } = options;
  const messages: MessageParam[] = [];
  const tools: NonNullable<MessageCreateParamsBase["tools"]> = (options.tools ?? []).map((tool) => ({
    name: tool.name,
    description: tool.description,
    input_schema: { ...tool.schema },
  }));
  if (options.webSearch === true) tools.push({ type: "web_search_20250305", name: "web_search", max_uses: 3 });
  return {
    async say(turn, how, { signal, onText, model: next = model } = {}) {
      model = next;
      messages.push({ role: "user", content: contentOf(turn) });
      const request = {
        model,
        max_tokens: 4000,
        messages,
        ...(options.system === undefined ? {} : { system: options.system }),
        ...(tools.length === 0 ? {} : { tools }),
        ...(options.thinking === true ? { thinking: { type: "adaptive" as const }, output_config: { effort: "medium" as const } } : {}),
      };
      const requestOptions = signal === undefined ? {} : { signal };
      let deltas = 0;
      let message: Message;
      if (how === "stream") {
        const stream = client.messages.stream(request, requestOptions);
        stream.on("text", (piece) => {
          deltas += 1;
          onText?.(piece);
        });
        message = await stream.finalMessage();
      } else message = await client.messages.create(request, requestOptions);
      messages.push({ role: "assistant", content: message.content });
      return said(message, deltas);
    },
  };
}

function contentOf({ text, images = [], document, results = [] }: UserTurn): ContentBlockParam[] {
  return [
    ...results.map((result) => ({
      type: "tool_result" as const,
      tool_use_id: result.call.id,
      content: result.image === undefined ? result.text : [{ type: "text" as const, text: result.text }, imageOf(result.image)],
    })),
    ...images.map(imageOf),
    ...(document === undefined
      ? []
      : [
          {
            type: "document" as const,
            source: { type: "base64" as const, media_type: "application/pdf" as const, data: document },
            title: "report.pdf",
          },
        ]),
    ...(text === undefined ? [] : [{ type: "text" as const, text }]),
  ];
}

function imageOf({ mediaType, data }: Image): ImageBlockParam {
  return { type: "image", source: { type: "base64", media_type: mediaType as "image/png", data } };
}

const ends: Readonly<Partial<Record<StopReason, Said["end"]>>> = {
  end_turn: "stop",
  tool_use: "tools",
  max_tokens: "length",
  refusal: "refusal",
};

function said(message: Message, deltas: number): Said {
  const end = ends[message.stop_reason ?? "end_turn"];
  if (end === undefined) throw new Error(`stopped for ${message.stop_reason}`);
  const cached = message.usage.cache_read_input_tokens ?? 0;
  return {
    text: message.content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    thinking: message.content.map((block) => (block.type === "thinking" ? block.thinking : "")).join(""),
    calls: message.content.flatMap((block) => (block.type === "tool_use" ? [{ id: block.id, name: block.name, input: block.input }] : [])),
    end,
    inputTokens: message.usage.input_tokens + cached + (message.usage.cache_creation_input_tokens ?? 0),
    cachedTokens: cached,
    outputTokens: message.usage.output_tokens,
    deltas,
    sources: message.content.flatMap((block) =>
      block.type === "web_search_tool_result" && Array.isArray(block.content) ? block.content.map((result) => result.url) : [],
    ),
  };
}
