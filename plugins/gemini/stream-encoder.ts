/** Replies of the hub for clients of this dialect: a stream of events, a stream that is one JSON list, or one response. */

import type { LocalReply, Received, ReplyOptions, StreamEncoder } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { explode } from "../../sdk/hub/explode.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { wantsThoughts } from "./decode-request.ts";
import { readNames } from "./decode-tools.ts";
import { errorEnvelope, errorOf } from "./errors.ts";
import { PartMaker } from "./part-maker.ts";
import { parseObject, type WireUsage } from "./wire.ts";

/** Whether the client asked for events; a list streams to those that did not. */
function wantsEvents({ search }: Received): boolean {
  return new URLSearchParams(search).get("alt") === "sse";
}

export function encodeStream(options: ReplyOptions): StreamEncoder {
  return wantsEvents(options.received)
    ? new GeminiEncoder(options, eventFrames)
    : new GeminiEncoder(options, new ListFrames(), "application/json; charset=UTF-8");
}

/** @param message of the hub, as one response: what would have streamed it, put together */
export function encodeWhole(message: JsonObject, options: ReplyOptions): LocalReply {
  const teller = new ResponseTeller(options);
  const responses = (explode(JSON.stringify(message)) ?? []).flatMap((event) => teller.push(parseObject(event) ?? {}) ?? []);
  const candidates = responses.map((response) => response.candidate);
  const last = responses.at(-1);
  const parts = candidates.flatMap((candidate) => candidate.parts);
  const whole = { ...last?.rest, ...response({ ...candidates.at(-1), parts }, options, text(message["model"])) };
  const bytes = Buffer.from(JSON.stringify(whole));
  return {
    status: 200,
    headers: [
      ["content-type", "application/json; charset=UTF-8"],
      ["content-length", String(bytes.length)],
    ],
    chunks: [bytes],
  };
}

interface Frames {
  one(json: string): string;
  end(): string;
}

const eventFrames: Frames = { one: (json) => `data: ${json}\r\n\r\n`, end: () => "" };

class ListFrames implements Frames {
  #isOpen = false;

  one(json: string): string {
    const before = this.#isOpen ? ",\r\n" : "[";
    this.#isOpen = true;
    return before + json;
  }

  end(): string {
    return this.#isOpen ? "]\r\n" : "[]\r\n";
  }
}

/** The vendor's own client forgets a whole turn of which one response has no part. */
const nothing: readonly JsonObject[] = [{ text: "" }];

class GeminiEncoder implements StreamEncoder {
  readonly contentType: string;
  readonly #options: ReplyOptions;
  readonly #frames: Frames;
  readonly #teller: ResponseTeller;
  #isOver = false;

  constructor(options: ReplyOptions, frames: Frames, contentType = "text/event-stream; charset=utf-8") {
    this.contentType = contentType;
    this.#options = options;
    this.#frames = frames;
    this.#teller = new ResponseTeller(options);
  }

  push(event: JsonObject): string {
    if (this.#isOver) return "";
    if (event["type"] === "error") return this.fail(errorOf(event));
    const told = this.#teller.push(event);
    if (told === undefined) return "";
    const candidate = told.candidate.parts.length > 0 ? told.candidate : { ...told.candidate, parts: nothing };
    const json = JSON.stringify({ ...told.rest, ...response(candidate, this.#options, this.#teller.model) });
    if (!this.#teller.isOver) return this.#frames.one(json);
    this.#isOver = true;
    return this.#frames.one(json) + this.#frames.end();
  }

  fail(error: ProxyError): string {
    if (this.#isOver) return "";
    this.#isOver = true;
    return this.#frames.one(JSON.stringify(errorEnvelope(error))) + this.#frames.end();
  }

  end(): string {
    return this.fail(new ProxyError("The reply ended before it was complete.", { status: 502, kind: "api_error" }));
  }
}

interface Candidate {
  readonly parts: readonly JsonObject[];
  readonly finishReason?: string;
  readonly groundingMetadata?: JsonObject;
}

interface Told {
  readonly candidate: Candidate;
  /** Said once, at the end. */
  readonly rest: JsonObject;
}

/** Events of the hub as responses, each of which adds to those before it. */
class ResponseTeller {
  readonly #parts: PartMaker;
  #usage: JsonObject = {};
  #stopReason: string | undefined;
  model: string | undefined;
  isOver = false;

  constructor({ received }: ReplyOptions) {
    const body = received.body.json();
    this.#parts = new PartMaker({ names: readNames(body["tools"]), thoughts: wantsThoughts(body) });
  }

  push(event: JsonObject): Told | undefined {
    switch (text(event["type"]) ?? "") {
      case "message_start": {
        const message = record(event["message"]);
        this.model = text(message?.["model"]);
        this.#count(message);
        return undefined;
      }
      case "message_delta":
        this.#stopReason = text(record(event["delta"])?.["stop_reason"]) ?? this.#stopReason;
        this.#count(event);
        return undefined;
      case "message_stop":
        this.isOver = true;
        return this.#last();
      default: {
        const parts = this.#parts.push(event);
        return parts.length === 0 ? undefined : { candidate: { parts }, rest: {} };
      }
    }
  }

  #count(holder: JsonObject | undefined): void {
    const counts = Object.entries(record(holder?.["usage"]) ?? {}).filter(([, count]) => count !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(counts) };
  }

  #last(): Told {
    const grounding = this.#parts.grounding();
    const finishReason =
      this.#parts.isBroken && this.#stopReason === "tool_use" ? "MALFORMED_FUNCTION_CALL" : finishReasonOf(this.#stopReason);
    return {
      candidate: { parts: this.#parts.rest(), finishReason, ...(grounding === undefined ? {} : { groundingMetadata: grounding }) },
      rest: { usageMetadata: usageMetadata(this.#usage) },
    };
  }
}

function response({ parts, ...candidate }: Candidate, { id }: ReplyOptions, model: string | undefined): JsonObject {
  return {
    candidates: [{ content: { parts, role: "model" }, ...candidate, index: 0 }],
    ...(model === undefined ? {} : { modelVersion: model }),
    responseId: id,
  };
}

function finishReasonOf(reason: string | undefined): string {
  if (reason === "max_tokens" || reason === "model_context_window_exceeded") return "MAX_TOKENS";
  return reason === "refusal" ? "SAFETY" : "STOP";
}

/** What was read from a cache or written to one is among the prompt here, and thoughts are not among the answer. */
function usageMetadata(usage: JsonObject): WireUsage {
  const cached = count(usage["cache_read_input_tokens"]);
  const prompt = count(usage["input_tokens"]) + cached + count(usage["cache_creation_input_tokens"]);
  const output = count(usage["output_tokens"]);
  const thoughts = Math.min(output, count(record(usage["output_tokens_details"])?.["thinking_tokens"]));
  return {
    promptTokenCount: prompt,
    ...(cached === 0 ? {} : { cachedContentTokenCount: cached }),
    candidatesTokenCount: output - thoughts,
    ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    totalTokenCount: prompt + output,
  };
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
