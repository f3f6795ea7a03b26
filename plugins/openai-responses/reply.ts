/** Replies of this wire, told in the hub's events. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { SseReader, type SseFields } from "../../sdk/hub/sse.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { HubRequest, Note, ReplyReader, StreamDecoder, Target } from "../../sdk/wire.ts";
import { streamError } from "./errors.ts";
import { ReplyTeller } from "./reply-teller.ts";
import { isList } from "./wire.ts";

export interface ReaderOptions {
  readonly request: HubRequest;
  readonly target: Target;
  readonly names: ToolNames;
  readonly stopSequences: readonly string[];
  readonly note: Note;
}

export function createReader(options: ReaderOptions): ReplyReader {
  return {
    stream: () => new EventDecoder(options),
    whole: (reply) => readWhole(reply, options),
  };
}

/** @throws ProxyError when the reply is none, or says that it failed */
function readWhole(reply: JsonObject, options: ReaderOptions): readonly JsonObject[] {
  const error = record(reply["error"]);
  const status = text(reply["status"]);
  if (error !== undefined) throw streamError({ error }, options.target);
  if (!isList(reply["output"]) || (status !== undefined && status !== "completed" && status !== "incomplete")) {
    const found = status === undefined ? "no response" : `a response that is ${status}`;
    throw new ProxyError(`The upstream's answer cannot be used: it is ${found}.`, { status: 502, kind: "api_error" });
  }
  const teller = new ReplyTeller({ ...options, isWhole: true });
  teller.begin(reply);
  teller.finish(reply);
  return teller.take();
}

class EventDecoder implements StreamDecoder {
  readonly #reader = new SseReader();
  readonly #teller: ReplyTeller;

  constructor(options: ReaderOptions) {
    this.#teller = new ReplyTeller(options);
  }

  push(chunk: Uint8Array): readonly JsonObject[] {
    for (const fields of this.#reader.push(chunk)) this.#read(fields);
    return this.#teller.take();
  }

  end(): readonly JsonObject[] {
    for (const fields of this.#reader.end()) this.#read(fields);
    this.#teller.end();
    return this.#teller.take();
  }

  #read({ name, data }: SseFields): void {
    if (this.#teller.isOver || data === "") return;
    if (data === "[DONE]") {
      this.#teller.done();
      return;
    }
    const event = parse(data);
    if (event !== undefined) this.#teller.push(text(event["type"]) ?? name, event);
  }
}

/** What is no JSON object tells nothing; whether something is missing shows at the end. */
function parse(data: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(data);
    return record(value);
  } catch {
    return undefined;
  }
}
