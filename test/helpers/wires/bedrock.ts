/**
 * A scripted host that speaks Bedrock's Converse, typed by AWS's own SDK; streams are binary frames of AWS's own codec.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, …/API_runtime_ConverseStream.html,
 * …/API_runtime_ContentBlock.html, https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html (frames).
 */

import type {
  ContentBlock,
  ContentBlockDelta,
  ConverseResponse,
  ConverseStreamOutput,
  StopReason,
  TokenUsage,
} from "@aws-sdk/client-bedrock-runtime";
import { EventStreamCodec } from "@smithy/eventstream-codec";

import { badRequestWords, brokenWords, defaultUsage, pieces, type ReplyScript, type ScriptPart } from "./script.ts";
import { object, objects, text, type Asked, type AskedPart, type AskedTurn, type Failure, type Piece, type Wire } from "./wire.ts";

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString("utf8"),
  (words) => Buffer.from(words, "utf8"),
);

export const bedrockWire: Wire = {
  name: "bedrock-converse",
  isGeneration: (path) => /^\/model\/[^/]+\/converse(-stream)?$/.test(path),
  read,
  streamHeaders: { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": "1b3f0c2a-0000-4000-8000-000000000000" },
  stream,
  streamFailure: (message) =>
    frame(
      { ":message-type": "exception", ":exception-type": "modelStreamErrorException", ":content-type": "application/json" },
      { message },
    ),
  whole,
  fail: (kind) => failures[kind],
};

const failures: Readonly<Record<Parameters<Wire["fail"]>[0], Failure>> = {
  "bad request": failure(400, "ValidationException", badRequestWords),
  "no such key": failure(
    403,
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/builder is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1:123456789012:inference-profile/scripted",
  ),
  "rate limit": failure(429, "ThrottlingException", "Too many requests, please wait before trying again."),
  broken: failure(500, "InternalServerException", brokenWords),
  overflow: failure(400, "ValidationException", "Input is too long for requested model."),
};

function failure(status: number, type: string, message: string): Failure {
  return {
    status,
    headers: {
      "x-amzn-requestid": "1b3f0c2a-0000-4000-8000-000000000000",
      "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
    },
    body: { message },
  };
}

function frame(headers: Readonly<Record<string, string>>, payload: unknown): Uint8Array {
  return codec.encode({
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }])),
    body: Buffer.from(JSON.stringify(payload)),
  });
}

function stream(script: ReplyScript): readonly Piece[] {
  const sent: Piece[] = [];
  const event = (output: ConverseStreamOutput, isContent = false): void => {
    const [type, payload] = Object.entries(output).find(([, value]) => value !== undefined) ?? ["", {}];
    // Every frame is padded, so that its length says nothing about its text.
    sent.push({
      isContent,
      bytes: frame({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, { ...payload, p: "abcdefgh" }),
    });
  };
  event({ messageStart: { role: "assistant" } });
  for (const [contentBlockIndex, part] of spoken(script).entries()) {
    const delta = (value: ContentBlockDelta, isContent = true): void =>
      event({ contentBlockDelta: { contentBlockIndex, delta: value } }, isContent);
    switch (part.type) {
      case "text":
      case "refusal":
        for (const piece of pieces(part.text)) delta({ text: piece });
        break;
      case "thinking":
        for (const piece of pieces(part.text)) delta({ reasoningContent: { text: piece } });
        delta({ reasoningContent: { signature: part.state } }, false);
        break;
      case "call":
        event({ contentBlockStart: { contentBlockIndex, start: { toolUse: { toolUseId: `tooluse_${part.id}`, name: part.name } } } });
        for (const piece of pieces(JSON.stringify(part.input))) delta({ toolUse: { input: piece } });
        break;
    }
    event({ contentBlockStop: { contentBlockIndex } });
  }
  event({ messageStop: { stopReason: stopReason(script) } });
  event({ metadata: { usage: usageOf(script), metrics: { latencyMs: 12 } } });
  return sent;
}

type Spoken = Exclude<ScriptPart, { type: "search" }>;

/** Nothing is searched here. */
function spoken(script: ReplyScript): readonly Spoken[] {
  return script.parts.filter((part) => part.type !== "search");
}

function whole(script: ReplyScript): ConverseResponse {
  const content = spoken(script).map(blockOf);
  return {
    output: { message: { role: "assistant", content } },
    stopReason: stopReason(script),
    usage: usageOf(script),
    metrics: { latencyMs: 12 },
  };
}

function blockOf(part: Spoken): ContentBlock {
  if (part.type === "thinking") return { reasoningContent: { reasoningText: { text: part.text, signature: part.state } } };
  if (part.type === "call")
    return { toolUse: { toolUseId: `tooluse_${part.id}`, name: part.name, input: JSON.parse(JSON.stringify(part.input)) } };
  return { text: part.text };
}

function stopReason(script: ReplyScript): StopReason {
  if (script.end === "length") return "max_tokens";
  if (script.parts.some((part) => part.type === "refusal")) return "content_filtered";
  return script.parts.some((part) => part.type === "call") ? "tool_use" : "end_turn";
}

/** What was read from the cache is not part of the input here. */
function usageOf({ usage = defaultUsage }: ReplyScript): TokenUsage {
  return {
    inputTokens: usage.input - usage.cached,
    outputTokens: usage.output,
    totalTokens: usage.input + usage.output,
    cacheReadInputTokens: usage.cached,
    cacheWriteInputTokens: 0,
  };
}

function read(request: Asked["request"]): Asked {
  const body = object(request.json(), "body");
  const path = /^\/model\/([^/]+)\/(converse|converse-stream)$/.exec(request.path);
  if (path === null) throw new Error(`no model in ${request.path}`);
  const tools = body["toolConfig"] === undefined ? [] : objects(object(body["toolConfig"], "toolConfig")["tools"], "toolConfig.tools");
  return {
    request,
    body,
    model: decodeURIComponent(path[1] ?? ""),
    stream: path[2] === "converse-stream",
    system: objects(body["system"], "system")
      .flatMap((block) => (block["cachePoint"] === undefined ? [text(block["text"], "system.text")] : []))
      .join("\n"),
    turns: objects(body["messages"], "messages").map((message, index): AskedTurn => {
      const where = `messages[${index}]`;
      const role = text(message["role"], `${where}.role`);
      if (role !== "user" && role !== "assistant") throw new Error(`${where}.role is ${role}`);
      return {
        role,
        parts: objects(message["content"], `${where}.content`).flatMap((block, at) => blockRead(block, `${where}.content[${at}]`)),
      };
    }),
    tools: tools.flatMap((tool) =>
      tool["toolSpec"] === undefined ? [] : [text(object(tool["toolSpec"], "toolSpec")["name"], "toolSpec.name")],
    ),
  };
}

function blockRead(block: Readonly<Record<string, unknown>>, where: string): readonly AskedPart[] {
  const [kind = "", ...others] = Object.keys(block);
  if (others.length > 0) throw new Error(`${where} is a union, and has ${kind}, ${others.join(", ")}`);
  const value = block[kind];
  switch (kind) {
    case "text":
      return [{ type: "text", text: text(value, where) }];
    case "image": {
      const image = object(value, where);
      return [
        {
          type: "image",
          mediaType: `image/${text(image["format"], where)}`,
          data: text(object(image["source"], where)["bytes"], `${where}.source.bytes`),
        },
      ];
    }
    case "document":
      return [{ type: "document", data: text(object(object(value, where)["source"], where)["bytes"], `${where}.source.bytes`) }];
    case "toolUse": {
      const call = object(value, where);
      return [
        {
          type: "call",
          id: bare(text(call["toolUseId"], where)),
          name: text(call["name"], where),
          input: object(call["input"], `${where}.input`),
        },
      ];
    }
    case "toolResult": {
      const result = object(value, where);
      const inner = objects(result["content"], `${where}.content`).flatMap((part, index): readonly AskedPart[] =>
        part["json"] === undefined ? blockRead(part, `${where}.content[${index}]`) : [{ type: "text", text: JSON.stringify(part["json"]) }],
      );
      const said = inner.map((part) => (part.type === "text" ? part.text : "")).join("");
      return [{ type: "result", id: bare(text(result["toolUseId"], where)), text: said }, ...inner.filter((part) => part.type !== "text")];
    }
    case "reasoningContent": {
      const reasoning = object(value, where);
      if (reasoning["reasoningText"] === undefined)
        return [{ type: "thinking", text: "", state: text(reasoning["redactedContent"], where) }];
      const thought = object(reasoning["reasoningText"], where);
      return [
        {
          type: "thinking",
          text: text(thought["text"], where),
          state: typeof thought["signature"] === "string" ? thought["signature"] : "",
        },
      ];
    }
    case "cachePoint":
      return [];
    default:
      throw new Error(`${where} is a block of an unknown kind: ${kind}`);
  }
}

/** As in the script; an id that this host never gave out is marked. */
function bare(id: string): string {
  return id.startsWith("tooluse_") ? id.slice("tooluse_".length) : `?${id}`;
}
