/** AWS's SDK, Converse. There is no such client in front of the proxy; it shows that the scripted host is a true one. */

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";

import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  ConverseCommand,
  ConverseStreamCommand,
  type ContentBlock,
  type ConverseStreamRequest,
  type ImageFormat,
  type Message,
  type StopReason,
  type TokenUsage,
} from "@aws-sdk/client-bedrock-runtime";

import type { Chat, ChatOptions, Client, Image, Said, SayOptions, UserTurn } from "./client.ts";

export const bedrockClient: Client = {
  // Of no consequence: it never stands in the matrix.
  name: "anthropic",
  seesRetryAfter: false,
  hasImagesInResults: true,
  open,
  failure(error) {
    const isAbort = error instanceof Error && error.name === "AbortError";
    const status = error instanceof BedrockRuntimeServiceException ? errorStatus(error) : undefined;
    return { status, message: error instanceof Error ? error.message : String(error), retryAfter: undefined, isAbort };
  },
};

/** Errors within a stream have no status, whatever their type says. */
function errorStatus({ $metadata }: { readonly $metadata?: { readonly httpStatusCode?: number | undefined } }): number | undefined {
  return $metadata?.httpStatusCode;
}

function open(options: ChatOptions): Chat {
  const client = new BedrockRuntimeClient({
    endpoint: options.baseUrl,
    region: "us-east-1",
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
    maxAttempts: 1,
    requestHandler: { handle },
  });
  const messages: Message[] = [];
  return {
    async say(turn, how, sayOptions = {}) {
      messages.push({ role: "user", content: contentOf(turn) });
      const request: ConverseStreamRequest = {
        modelId: options.model,
        messages,
        inferenceConfig: { maxTokens: 4000 },
        ...(options.system === undefined ? {} : { system: [{ text: options.system }] }),
        ...(options.tools === undefined
          ? {}
          : {
              toolConfig: {
                tools: options.tools.map(({ name, description, schema }) => ({
                  toolSpec: { name, description, inputSchema: { json: JSON.parse(JSON.stringify(schema)) } },
                })),
              },
            }),
      };
      const abort = sayOptions.signal === undefined ? {} : { abortSignal: sayOptions.signal };
      if (how === "stream") {
        return streamed(client, request, messages, sayOptions, abort).catch((error: unknown) => {
          sayOptions.signal?.throwIfAborted();
          throw error;
        });
      }
      const reply = await client.send(new ConverseCommand(request), abort);
      const message = reply.output?.message;
      if (message === undefined) throw new Error("a reply without a message");
      messages.push(message);
      return said(message.content ?? [], reply.stopReason, reply.usage, 0);
    },
  };
}

/** The SDK's own speaks HTTP/2 only, which the scripted host does not. */
async function handle(
  request: {
    readonly method: string;
    readonly hostname: string;
    readonly port?: number;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body?: unknown;
  },
  options?: { readonly abortSignal?: unknown },
): Promise<{ response: HttpResponse }> {
  const signal = options?.abortSignal instanceof AbortSignal ? options.abortSignal : undefined;
  const { method, hostname, port, path, headers } = request;
  const outgoing = httpRequest({ method, hostname, port, path, headers, ...(signal === undefined ? {} : { signal }) });
  outgoing.end(request.body);
  const [incoming]: IncomingMessage[] = await once(outgoing, "response");
  if (incoming === undefined) throw new Error("no response came");
  const plain = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  return { response: { statusCode: incoming.statusCode ?? 0, headers: plain, body: incoming } as HttpResponse };
}

type HttpResponse = Awaited<ReturnType<BedrockRuntimeClient["config"]["requestHandler"]["handle"]>>["response"];

async function streamed(
  client: BedrockRuntimeClient,
  request: ConverseStreamRequest,
  messages: Message[],
  { onText }: SayOptions,
  abort: object,
): Promise<Said> {
  const reply = await client.send(new ConverseStreamCommand(request), abort);
  const blocks: { text?: string; thought?: string; signature?: string; call?: { toolUseId: string; name: string; json: string } }[] = [];
  let stopReason: StopReason | undefined;
  let usage: TokenUsage | undefined;
  let deltas = 0;
  for await (const event of reply.stream ?? []) {
    const index = event.contentBlockStart?.contentBlockIndex ?? event.contentBlockDelta?.contentBlockIndex;
    const block = index === undefined ? {} : (blocks[index] ??= {});
    const started = event.contentBlockStart?.start?.toolUse;
    if (started !== undefined) block.call = { toolUseId: started.toolUseId ?? "", name: started.name ?? "", json: "" };
    const delta = event.contentBlockDelta?.delta;
    if (delta?.text !== undefined) {
      block.text = (block.text ?? "") + delta.text;
      deltas += 1;
      onText?.(delta.text);
    }
    if (delta?.toolUse !== undefined && block.call !== undefined) block.call.json += delta.toolUse.input ?? "";
    if (delta?.reasoningContent?.text !== undefined) block.thought = (block.thought ?? "") + delta.reasoningContent.text;
    if (delta?.reasoningContent?.signature !== undefined) block.signature = delta.reasoningContent.signature;
    stopReason = event.messageStop?.stopReason ?? stopReason;
    usage = event.metadata?.usage ?? usage;
  }
  const content = blocks.map(({ text = "", thought, signature, call }): ContentBlock => {
    if (call !== undefined) return { toolUse: { toolUseId: call.toolUseId, name: call.name, input: JSON.parse(call.json) } };
    return thought === undefined ? { text } : { reasoningContent: { reasoningText: { text: thought, signature } } };
  });
  messages.push({ role: "assistant", content });
  return said(content, stopReason, usage, deltas);
}

function contentOf({ text, images = [], document, results = [] }: UserTurn): ContentBlock[] {
  return [
    ...results.map((result) => ({
      toolResult: {
        toolUseId: result.call.id,
        content: [{ text: result.text }, ...(result.image === undefined ? [] : [imageOf(result.image)])],
      },
    })),
    ...images.map(imageOf),
    ...(document === undefined
      ? []
      : [{ document: { name: "report", format: "pdf" as const, source: { bytes: Buffer.from(document, "base64") } } }]),
    ...(text === undefined ? [] : [{ text }]),
  ];
}

function imageOf({ mediaType, data }: Image): ContentBlock.ImageMember {
  return { image: { format: mediaType.slice("image/".length) as ImageFormat, source: { bytes: Buffer.from(data, "base64") } } };
}

function said(content: readonly ContentBlock[], stopReason: StopReason | undefined, usage: TokenUsage | undefined, deltas: number): Said {
  const cached = usage?.cacheReadInputTokens ?? 0;
  return {
    text: content.map((block) => block.text ?? "").join(""),
    thinking: content.map((block) => block.reasoningContent?.reasoningText?.text ?? "").join(""),
    calls: content.flatMap(({ toolUse }) =>
      toolUse === undefined ? [] : [{ id: toolUse.toolUseId ?? "", name: toolUse.name ?? "", input: toolUse.input }],
    ),
    end:
      stopReason === "tool_use" ? "tools" : stopReason === "max_tokens" ? "length" : stopReason === "content_filtered" ? "refusal" : "stop",
    inputTokens: (usage?.inputTokens ?? -1) + cached,
    cachedTokens: cached,
    outputTokens: usage?.outputTokens ?? -1,
    deltas,
    sources: [],
  };
}
