/** Reads replies of this wire as core does, and checks that what is told could be read by any client of the hub. */

import { AnthropicAssembler } from "../../../sdk/hub/assemble.ts";
import type { Json } from "../../../sdk/body.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { unseal } from "../../../sdk/hub/envelope.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import type { Plugin } from "../../../sdk/plugin.ts";
import type { Dialect, Ingress } from "../../../sdk/dialect.ts";
import type { Encoded, ReplyReader, Target, Wire } from "../../../sdk/wire.ts";
import { gemini } from "../../../plugins/gemini/index.ts";
import { hubTarget, type HubTargetOptions } from "../../helpers/hub-target.ts";

const dialect: Dialect = firstOf(gemini).dialect;
export const ingress: Ingress = present(dialect.ingress);
export const wire: Wire = present(dialect.wire);

function firstOf(plugin: Plugin): { readonly dialect: Dialect } {
  return { dialect: present(plugin.setup().dialects?.[0]) };
}

export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("found nothing, wanted something");
  return value;
}

export function geminiTarget(options: HubTargetOptions = {}): Target {
  return hubTarget({
    providerName: "gemini",
    model: "gemini-3.8-flash",
    apiBase: "https://generativelanguage.googleapis.com",
    producer: "gemini https://generativelanguage.googleapis.com",
    ...options,
  });
}

export interface Encoding extends Encoded {
  /** What was noted, in order. */
  readonly notes: readonly string[];
}

export function encodeHub(body: JsonObject, target: Target = geminiTarget(), more: { readonly withoutThinking?: boolean } = {}): Encoding {
  const notes: string[] = [];
  const request = { body, session: undefined, estimatedInputTokens: 11, ...more };
  const encoded = wire.encode?.(request, target, (what) => void notes.push(what));
  return { ...present(encoded), notes };
}

export function reader(body: JsonObject = simple, target: Target = geminiTarget()): ReplyReader {
  return encodeHub(body, target).reader;
}

export const simple: JsonObject = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "Hello" }] };

/** @param chunks of one stream */
export function readStream(read: ReplyReader, chunks: Iterable<Uint8Array>): readonly JsonObject[] {
  const decoder = read.stream();
  const events: JsonObject[] = [];
  for (const chunk of chunks) events.push(...decoder.push(chunk));
  events.push(...decoder.end());
  return events;
}

export function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = Math.max(1, sizes[index % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export function fold(events: readonly JsonObject[]): Json {
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  const message: Json = JSON.parse(assembler.message() ?? "null");
  return message;
}

const deltasOf: Readonly<Record<string, readonly string[]>> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
};

/** @returns what is wrong with a stream of the hub; undefined for a legal one */
export function illegality(events: readonly JsonObject[]): string | undefined {
  let open: { readonly index: number; readonly type: string } | undefined;
  let next = 0;
  let state: "before" | "inside" | "stopping" | "over" = "before";
  for (const [at, event] of events.entries()) {
    const type = text(event["type"]) ?? "";
    const wrong = (why: string): string => `event ${at} (${type}): ${why}`;
    if (state === "over") return wrong("after the end");
    if (type === "error") {
      if (text(record(event["error"])?.["type"]) === undefined) return wrong("no type");
      state = "over";
      continue;
    }
    if (type === "message_start") {
      if (state !== "before") return wrong("begun twice");
      state = "inside";
      continue;
    }
    if (state === "before") return wrong("before the beginning");
    if (type === "message_delta") {
      if (open !== undefined || state === "stopping") return wrong("a block is open, or stopped twice");
      if (text(record(event["delta"])?.["stop_reason"]) === undefined) return wrong("no reason");
      state = "stopping";
    } else if (type === "message_stop") {
      if (state !== "stopping") return wrong("without a reason");
      state = "over";
    } else if (state === "stopping") return wrong("after the reason");
    else if (type === "content_block_start") {
      if (open !== undefined || event["index"] !== next) return wrong("another block is open, or a wrong index");
      open = { index: next++, type: text(record(event["content_block"])?.["type"]) ?? "" };
    } else if (type === "content_block_delta") {
      const delta = text(record(event["delta"])?.["type"]) ?? "";
      if (open?.index !== event["index"] || !(deltasOf[open?.type ?? ""] ?? []).includes(delta))
        return wrong(`a ${delta} where it cannot be`);
    } else if (type === "content_block_stop") {
      if (open?.index !== event["index"]) return wrong("of no open block");
      open = undefined;
    } else return wrong("of no known type");
  }
  return state === "over" ? undefined : "no end";
}

/** Ids that are made up here stand for themselves no longer. */
export function withoutRandomIds(value: Json): Json {
  const json = JSON.stringify(value).replaceAll(/"(msg|toolu|srvtoolu)_[0-9a-f]{32}"/g, '"$1_random"');
  const parsed: Json = JSON.parse(json);
  return parsed;
}

/** What is sealed, in the open. */
export function opened(value: Json): Json {
  if (typeof value === "string") {
    const sealed = unseal(value);
    return sealed === undefined ? value : { sealed: sealed.payload, by: sealed.producer };
  }
  if (Array.isArray(value)) return value.map((item: Json) => opened(item));
  const object = record(value);
  return object === undefined ? value : Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, opened(inner)]));
}
