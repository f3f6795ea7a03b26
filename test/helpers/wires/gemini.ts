/**
 * A scripted host that speaks Gemini's generateContent, typed by Google's own SDK.
 * https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/thought-signatures,
 * https://ai.google.dev/gemini-api/docs/google-search, https://ai.google.dev/gemini-api/docs/troubleshooting.
 */

import {
  FinishReason,
  type Candidate,
  type GenerateContentResponse,
  type GenerateContentResponseUsageMetadata,
  type GroundingMetadata,
  type Part,
} from "@google/genai";

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
} from "./script.ts";
import {
  dataEvent,
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

type WireReply = Pick<GenerateContentResponse, "candidates" | "usageMetadata" | "modelVersion" | "responseId" | "promptFeedback">;

/** The host's lines end the way Google's do. */
const lineEnd = "\r\n";

export const geminiWire: Wire = {
  name: "gemini",
  isGeneration: (path) => /:(generateContent|streamGenerateContent)$/.test(path),
  read,
  streamHeaders: { "content-type": "text/event-stream" },
  stream,
  streamFailure: (message) => dataEvent({ error: { code: 503, message, status: "UNAVAILABLE" } }, lineEnd),
  whole,
  fail: (kind) => failures[kind],
};

const failures: Readonly<Record<Parameters<Wire["fail"]>[0], Failure>> = {
  "bad request": failure(400, badRequestWords, "INVALID_ARGUMENT"),
  "no such key": failure(
    401,
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
    "UNAUTHENTICATED",
  ),
  // How long to wait stands in the body only.
  "rate limit": failure(429, "You exceeded your current quota, please check your plan and billing details.", "RESOURCE_EXHAUSTED", [
    {
      "@type": "type.googleapis.com/google.rpc.QuotaFailure",
      violations: [
        {
          quotaMetric: "generativelanguage.googleapis.com/generate_content_free_tier_requests",
          quotaId: "GenerateRequestsPerMinutePerProjectPerModel",
        },
      ],
    },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryAfterSeconds}s` },
  ]),
  broken: failure(500, brokenWords, "INTERNAL"),
  overflow: failure(
    400,
    `The input token count (${overflowTokens.tokens}) exceeds the maximum number of tokens allowed (${overflowTokens.maximum}).`,
    "INVALID_ARGUMENT",
  ),
};

function failure(code: number, message: string, status: string, details?: readonly unknown[]): Failure {
  return {
    status: code,
    body: JSON.stringify({ error: { code, message, status, ...(details === undefined ? {} : { details }) } }, undefined, 2),
  };
}

function stream(script: ReplyScript, { model }: Asked): readonly Piece[] {
  const responseId = freshId();
  const base = { modelVersion: model, responseId };
  const chunk = (parts: readonly Part[], isContent: boolean, more: Partial<Candidate> = {}): Piece => {
    const candidate: Candidate = { content: { parts: [...parts], role: "model" }, index: 0, ...more };
    const usageMetadata = more.finishReason === undefined ? { promptTokenCount: usageOf(script).promptTokenCount ?? 0 } : usageOf(script);
    const reply: WireReply = { candidates: [candidate], usageMetadata, ...base };
    return { isContent, bytes: dataEvent(reply, lineEnd) };
  };
  const sent: Piece[] = [];
  for (const part of partsOf(script)) {
    if (part.text === undefined) sent.push(chunk([part], true));
    else {
      const { text: said, thoughtSignature, ...flags } = part;
      for (const piece of pieces(said)) sent.push(chunk([{ ...flags, text: piece }], true));
      // The signature of a text comes behind it, on a part without words.
      if (thoughtSignature !== undefined) sent.push(chunk([{ ...flags, text: "", thoughtSignature }], false));
    }
  }
  sent.push(chunk([{ text: "" }], false, ending(script)));
  return sent;
}

function whole(script: ReplyScript, { model }: Asked): string {
  const candidate: Candidate = { content: { parts: [...partsOf(script)], role: "model" }, index: 0, ...ending(script) };
  const reply: WireReply = { candidates: [candidate], usageMetadata: usageOf(script), modelVersion: model, responseId: freshId() };
  return JSON.stringify(reply, undefined, 2);
}

function ending(script: ReplyScript): Partial<Candidate> {
  const grounding = groundingOf(script);
  const refused = script.parts.some((part) => part.type === "refusal");
  return {
    finishReason: script.end === "length" ? FinishReason.MAX_TOKENS : refused ? FinishReason.SAFETY : FinishReason.STOP,
    ...(grounding === undefined ? {} : { groundingMetadata: grounding }),
  };
}

/** The token of the thoughts goes on the first call of the step, or on the last part of a text; a step with calls has one always. */
function partsOf(script: ReplyScript): readonly Part[] {
  const parts: Part[] = [];
  let state = script.parts.some((part) => part.type === "call") ? base64("gemini-state-unasked") : undefined;
  const signed = (part: Part): Part => {
    const token = state;
    state = undefined;
    return token === undefined ? part : { ...part, thoughtSignature: token };
  };
  const isEnd = (index: number): boolean => script.parts.slice(index).every((part) => part.type !== "call");
  for (const [index, part] of script.parts.entries()) {
    switch (part.type) {
      case "thinking":
        state = base64(part.state);
        if (part.text !== "") parts.push({ text: part.text, thought: true });
        break;
      case "text":
        parts.push(isEnd(index) ? signed({ text: part.text }) : { text: part.text });
        break;
      case "call":
        parts.push(signed({ functionCall: callOf(part) }));
        break;
      case "refusal":
      case "search":
        break;
    }
  }
  return parts;
}

/** Some models give their calls ids, others none: of scripts the calls whose id says so. */
function callOf(part: Extract<ScriptPart, { type: "call" }>): NonNullable<Part["functionCall"]> {
  const call = { name: part.name, args: { ...part.input } };
  return part.id.startsWith("named") ? { id: part.id, ...call } : call;
}

function groundingOf(script: ReplyScript): GroundingMetadata | undefined {
  for (const [index, part] of script.parts.entries()) {
    if (part.type !== "search") continue;
    const next = script.parts[index + 1];
    const cited = isCited(script.parts, index + 1);
    return {
      webSearchQueries: [part.query],
      groundingChunks: part.sources.map(({ url, title }) => ({ web: { uri: url, title } })),
      groundingSupports:
        next?.type === "text" && cited !== undefined
          ? [{ segment: { startIndex: 0, endIndex: Buffer.byteLength(next.text), text: next.text }, groundingChunkIndices: [0] }]
          : [],
      searchEntryPoint: { renderedContent: "<div>searched</div>" },
    };
  }
  return undefined;
}

function usageOf({ usage = defaultUsage }: ReplyScript): GenerateContentResponseUsageMetadata {
  return {
    promptTokenCount: usage.input,
    candidatesTokenCount: usage.output - usage.reasoning,
    totalTokenCount: usage.input + usage.output,
    ...(usage.cached === 0 ? {} : { cachedContentTokenCount: usage.cached }),
    ...(usage.reasoning === 0 ? {} : { thoughtsTokenCount: usage.reasoning }),
  };
}

/** Signatures are bytes. */
function base64(state: string): string {
  return Buffer.from(state).toString("base64");
}

function read(request: Asked["request"]): Asked {
  const body = object(request.json(), "body");
  const path = /\/models\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(request.path);
  if (path === null) throw new Error(`no model in ${request.path}`);
  const isStream = path[2] === "streamGenerateContent";
  if (isStream && !/[?&]alt=sse(&|$)/.test(request.url)) throw new Error("without alt=sse this host would stream a JSON array");
  const turns = objects(body["contents"], "contents").map((content, index): AskedTurn => {
    const role = content["role"] === "model" ? "assistant" : "user";
    return {
      role,
      parts: objects(content["parts"], `contents[${index}].parts`).flatMap((part, at) =>
        partsRead(part, `contents[${index}].parts[${at}]`),
      ),
    };
  });
  const system =
    body["systemInstruction"] === undefined
      ? []
      : objects(object(body["systemInstruction"], "systemInstruction")["parts"], "systemInstruction.parts");
  return {
    request,
    body,
    model: decodeURIComponent(path[1] ?? ""),
    stream: isStream,
    system: system.map((part) => text(part["text"], "systemInstruction.parts")).join("\n"),
    turns,
    tools: objects(body["tools"], "tools").flatMap((tool) =>
      tool["functionDeclarations"] === undefined
        ? Object.keys(tool)
        : objects(tool["functionDeclarations"], "functionDeclarations").map((declared) =>
            text(declared["name"], "functionDeclarations.name"),
          ),
    ),
  };
}

function partsRead(part: Readonly<Record<string, unknown>>, where: string): readonly AskedPart[] {
  const signature = part["thoughtSignature"];
  const state = typeof signature === "string" ? Buffer.from(signature, "base64").toString() : undefined;
  const token: readonly AskedPart[] = state === undefined ? [] : [{ type: "thinking", text: "", state }];
  if (typeof part["text"] === "string") {
    return part["thought"] === true
      ? [{ type: "thinking", text: part["text"], state: state ?? "" }]
      : [...token, { type: "text", text: part["text"] }];
  }
  if (part["inlineData"] !== undefined) {
    const blob = object(part["inlineData"], `${where}.inlineData`);
    const [mediaType, data] = [text(blob["mimeType"], `${where}.mimeType`), text(blob["data"], `${where}.data`)];
    return [mediaType === "application/pdf" ? { type: "document", data } : { type: "image", mediaType, data }];
  }
  if (part["functionCall"] !== undefined) {
    const call = object(part["functionCall"], `${where}.functionCall`);
    return [...token, { type: "call", id: idOf(call), name: text(call["name"], `${where}.name`), input: call["args"] ?? {} }];
  }
  if (part["functionResponse"] !== undefined) {
    const response = object(part["functionResponse"], `${where}.functionResponse`);
    text(response["name"], `${where}.functionResponse.name`);
    const value = object(response["response"], `${where}.functionResponse.response`);
    const said = Object.values(value)
      .map((one) => (typeof one === "string" ? one : JSON.stringify(one)))
      .join("");
    const media = objects(response["parts"], `${where}.functionResponse.parts`).flatMap((one, index) =>
      partsRead(one, `${where}.functionResponse.parts[${index}]`),
    );
    return [{ type: "result", id: idOf(response), text: said }, ...media];
  }
  throw new Error(`${where} is a part of an unknown kind: ${Object.keys(part).join(", ")}`);
}

/** Calls without an id are told apart by their names. */
function idOf(value: Readonly<Record<string, unknown>>): string {
  return typeof value["id"] === "string" ? value["id"] : `name:${String(value["name"])}`;
}
