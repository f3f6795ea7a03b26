/** Google's SDK, with the chat that keeps the history by itself. */

import {
  ApiError,
  FinishReason,
  GoogleGenAI,
  type GenerateContentConfig,
  type GenerateContentResponse,
  type Part,
  ThinkingLevel,
} from "@google/genai";

import type { Chat, ChatOptions, Client, Said, UserTurn } from "./client.ts";

export const geminiClient: Client = {
  name: "gemini",
  // It hands over the body and the status of an error, not its headers.
  seesRetryAfter: false,
  hasImagesInResults: true,
  open,
  failure(error) {
    const isAbort = error instanceof Error && error.name === "AbortError";
    if (!(error instanceof ApiError)) return { status: undefined, message: String(error), retryAfter: undefined, isAbort };
    return { status: error.status, message: messageIn(error.message), retryAfter: undefined, isAbort };
  },
};

/** The message of an error is its body, as text. */
function messageIn(body: string): string {
  const start = body.indexOf("{");
  try {
    const parsed: unknown = JSON.parse(body.slice(start));
    if (typeof parsed !== "object" || parsed === null || !("error" in parsed)) return body;
    const { error } = parsed;
    return typeof error === "object" && error !== null && "message" in error ? String(error.message) : body;
  } catch {
    return body;
  }
}

function open(options: ChatOptions): Chat {
  const client = new GoogleGenAI({ apiKey: "key-of-the-caller", httpOptions: { baseUrl: options.baseUrl } });
  const config: GenerateContentConfig = {
    maxOutputTokens: 4000,
    ...(options.system === undefined ? {} : { systemInstruction: options.system }),
    ...(options.tools === undefined
      ? {}
      : {
          tools: [
            {
              functionDeclarations: options.tools.map(({ name, description, schema }) => ({
                name,
                description,
                parametersJsonSchema: schema,
              })),
            },
          ],
        }),
    ...(options.thinking === true ? { thinkingConfig: { includeThoughts: true, thinkingLevel: ThinkingLevel.MEDIUM } } : {}),
    ...(options.webSearch === true ? { tools: [{ googleSearch: {} }] } : {}),
  };
  let chat = client.chats.create({ model: options.model, config });
  return {
    async say(turn, how, { signal, onText, model } = {}) {
      if (model !== undefined) chat = client.chats.create({ model, config, history: chat.getHistory() });
      const request = { message: partsOf(turn), ...(signal === undefined ? {} : { config: { ...config, abortSignal: signal } }) };
      if (how === "whole") return said([await chat.sendMessage(request)], 0);
      const chunks: GenerateContentResponse[] = [];
      let deltas = 0;
      for await (const chunk of await chat.sendMessageStream(request)) {
        chunks.push(chunk);
        for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
          if (part.thought === true || part.text === undefined || part.text === "") continue;
          deltas += 1;
          onText?.(part.text);
        }
      }
      return said(chunks, deltas);
    },
  };
}

function partsOf({ text, images = [], document, results = [] }: UserTurn): Part[] {
  return [
    ...results.map(({ call, text: output, image }) => ({
      functionResponse: {
        name: call.name,
        response: { output },
        ...(call.id === "" ? {} : { id: call.id }),
        ...(image === undefined ? {} : { parts: [{ inlineData: { mimeType: image.mediaType, data: image.data } }] }),
      },
    })),
    ...images.map(({ mediaType, data }) => ({ inlineData: { mimeType: mediaType, data } })),
    ...(document === undefined ? [] : [{ inlineData: { mimeType: "application/pdf", data: document } }]),
    ...(text === undefined ? [] : [{ text }]),
  ];
}

function said(chunks: readonly GenerateContentResponse[], deltas: number): Said {
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
  const calls = parts.flatMap(({ functionCall }) =>
    functionCall === undefined ? [] : [{ id: functionCall.id ?? "", name: functionCall.name ?? "", input: functionCall.args }],
  );
  const reasons = chunks.flatMap((chunk) => chunk.candidates?.[0]?.finishReason ?? []);
  if (reasons.length !== 1 && chunks.every((chunk) => chunk.promptFeedback?.blockReason === undefined))
    throw new Error(`${reasons.length} finish reasons came`);
  const usage = chunks.findLast((chunk) => chunk.usageMetadata !== undefined)?.usageMetadata;
  return {
    text: parts.map((part) => (part.thought === true ? "" : (part.text ?? ""))).join(""),
    thinking: parts.map((part) => (part.thought === true ? (part.text ?? "") : "")).join(""),
    calls,
    // This vendor has no reason of its own for calls.
    end:
      reasons[0] === FinishReason.MAX_TOKENS
        ? "length"
        : reasons[0] !== FinishReason.STOP
          ? "refusal"
          : calls.length > 0
            ? "tools"
            : "stop",
    inputTokens: usage?.promptTokenCount ?? -1,
    cachedTokens: usage?.cachedContentTokenCount ?? 0,
    outputTokens: (usage?.candidatesTokenCount ?? -1) + (usage?.thoughtsTokenCount ?? 0),
    deltas,
    sources: chunks
      .flatMap((chunk) => chunk.candidates?.[0]?.groundingMetadata?.groundingChunks ?? [])
      .flatMap((chunk) => chunk.web?.uri ?? []),
  };
}
