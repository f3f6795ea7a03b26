/** Replies: of a host of this protocol in the hub's events, and the hub's events for a client of this protocol. */

import type { Json } from "../../../sdk/body.ts";
import type { LocalReply, ReplySummary, ReplyWatch, StreamEncoder } from "../../../sdk/dialect.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import { MessageWriter, type WriterOptions } from "../../../sdk/hub/message-writer.ts";
import { SseReader } from "../../../sdk/hub/sse.ts";
import type { ReplyReader, StreamDecoder } from "../../../sdk/wire.ts";
import { eventOf } from "./wire.ts";

/** Whole and streamed replies are told to the same writer, which is why they mean the same. */
export class HelloReader implements ReplyReader {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  stream(): StreamDecoder {
    const sse = new SseReader();
    const writer = new MessageWriter(this.#options);
    const read = (events: ReturnType<SseReader["push"]>): readonly JsonObject[] => {
      for (const { data } of events) tell(writer, parse(data));
      return writer.take();
    };
    return {
      push: (chunk) => read(sse.push(chunk)),
      end() {
        const last = read(sse.end());
        // Without its `bye` a stream was cut; after an end this is not heard.
        writer.fail({ type: "api_error", message: "The upstream's stream ended before it was complete." });
        return [...last, ...writer.take()];
      },
    };
  }

  whole(reply: JsonObject): readonly JsonObject[] {
    if (typeof reply["say"] !== "string") throw new ProxyError(apology(reply), { status: 502, kind: "api_error" });
    const writer = new MessageWriter(this.#options);
    tell(writer, { ...reply, bye: true });
    return writer.take();
  }
}

function tell(writer: MessageWriter, event: JsonObject): void {
  const { say, bye, heard, said, sorry } = event;
  if (sorry !== undefined) return writer.fail({ type: "api_error", message: apology(event) });
  writer.text(text(say) ?? "");
  if (bye !== true) return;
  // A count that was not given is left out: the writer estimates, where a 0 would be a lie.
  writer.usage({
    ...(typeof heard === "number" ? { input_tokens: heard } : {}),
    ...(typeof said === "number" ? { output_tokens: said } : {}),
  });
  writer.stop("end_turn");
  writer.finish();
}

function apology({ sorry }: JsonObject): string {
  return text(sorry) ?? "The upstream's answer says nothing.";
}

/** What is no event is passed over, as unknown ones are. */
function parse(data: string): JsonObject {
  try {
    const value: Json = JSON.parse(data);
    return record(value) ?? {};
  } catch {
    return {};
  }
}

/** Exactly one end, whatever comes. */
export function streamEncoder(): StreamEncoder {
  let isOver = false;
  let usage: JsonObject = {};
  const end = (event: JsonObject): string => {
    if (isOver) return "";
    isOver = true;
    return eventOf(event);
  };
  const fail = (message: string): string => end({ sorry: message });
  return {
    push(event) {
      usage = { ...usage, ...record(record(event["message"])?.["usage"]), ...record(event["usage"]) };
      switch (text(event["type"]) ?? "") {
        case "content_block_delta": {
          const piece = text(record(event["delta"])?.["text"]);
          return piece === undefined || isOver ? "" : eventOf({ say: piece });
        }
        case "message_stop":
          return end({ bye: true, heard: usage["input_tokens"] ?? 0, said: usage["output_tokens"] ?? 0 });
        case "error":
          return fail(text(record(event["error"])?.["message"]) ?? "");
        default:
          return "";
      }
    },
    fail: ({ message }) => fail(message),
    end: () => fail("The answer ended before it was complete."),
  };
}

/** A whole message of the hub. */
export function encodeWhole(message: JsonObject): LocalReply {
  const blocks = Array.isArray(message["content"]) ? message["content"].map((block) => record(block)) : [];
  const usage = record(message["usage"]);
  const say = blocks.map((block) => text(block?.["text"]) ?? "").join("");
  return jsonReply(200, { say, heard: usage?.["input_tokens"] ?? 0, said: usage?.["output_tokens"] ?? 0 });
}

export function jsonReply(status: number, body: JsonObject, headers: Readonly<Record<string, string>> = {}): LocalReply {
  return {
    status,
    headers: [["content-type", "application/json"], ...Object.entries(headers)],
    chunks: [Buffer.from(JSON.stringify(body))],
  };
}

/** Sees the bytes of a reply go by, for the log and for pings. The ends of it are enough. */
export class HelloWatch implements ReplyWatch {
  #tail = "";
  #sorry: string | undefined;

  push(chunk: Uint8Array): void {
    this.#tail = (this.#tail + Buffer.from(chunk).toString("latin1")).slice(-2000);
    this.#sorry ??= /"sorry":"([^"]*)"/.exec(this.#tail)?.[1];
  }

  betweenEvents(): boolean {
    return this.#tail === "" || this.#tail.endsWith("\n\n");
  }

  end(): ReplySummary {
    const counts = /"heard":(\d+),"said":(\d+)/.exec(this.#tail);
    return {
      complete: counts !== null,
      error: this.#sorry === undefined ? undefined : "api_error",
      errorMessage: this.#sorry,
      usage:
        counts === null
          ? undefined
          : { inputTokens: Number(counts[1]), outputTokens: Number(counts[2]), cacheReadTokens: undefined, cacheWriteTokens: undefined },
    };
  }
}
