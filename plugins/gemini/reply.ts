/** Reads replies of generateContent: whole ones, streams of events, and streams that are one JSON list. */

import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";
import { SseReader } from "../../sdk/hub/sse.ts";
import type { ReplyReader, StreamDecoder } from "../../sdk/wire.ts";
import { decodeErrorObject } from "./errors.ts";
import { JsonListReader } from "./json-stream.ts";
import { ReplyTeller, type TellerOptions } from "./reply-teller.ts";
import { field, parseObject } from "./wire.ts";

export function createReader(options: TellerOptions): ReplyReader {
  return {
    stream: () => new GeminiStream(new ReplyTeller(options)),
    whole(reply) {
      const error = record(reply["error"]);
      if (error !== undefined) throw decodeErrorObject(error, options.target).error;
      if (!known.some((name) => field(reply, name) !== undefined)) {
        throw new ProxyError("The upstream's reply is no response of generateContent.", { status: 502, kind: "api_error" });
      }
      const teller = new ReplyTeller(options);
      teller.push(reply);
      teller.end();
      return teller.take();
    },
  };
}

const known = ["candidates", "promptFeedback", "usageMetadata"];

class GeminiStream implements StreamDecoder {
  readonly #teller: ReplyTeller;
  #events: SseReader | undefined;
  #list: JsonListReader | undefined;

  constructor(teller: ReplyTeller) {
    this.#teller = teller;
  }

  push(chunk: Uint8Array): readonly JsonObject[] {
    this.#choose(chunk);
    if (this.#list !== undefined) for (const json of this.#list.push(chunk)) this.#tell(json);
    else for (const { data } of this.#events?.push(chunk) ?? []) this.#tell(data);
    return this.#teller.take();
  }

  end(): readonly JsonObject[] {
    for (const { data } of this.#events?.end() ?? []) this.#tell(data);
    if (this.#list?.isCut === true) this.#teller.fail("api_error", "The upstream's reply ended before it was complete.");
    this.#teller.end();
    return this.#teller.take();
  }

  /** By the first character: an event begins with a name, JSON with a bracket. */
  #choose(chunk: Uint8Array): void {
    if (this.#events !== undefined || this.#list !== undefined) return;
    const first = chunk.find((byte) => !blanks.has(byte));
    if (first === undefined) return;
    if (first === 0x5b || first === 0x7b) this.#list = new JsonListReader();
    else this.#events = new SseReader();
  }

  #tell(data: string): void {
    // Some gateways close a stream as another vendor does.
    if (data === "" || data === "[DONE]") return;
    const reply = parseObject(data);
    if (reply === undefined) this.#teller.fail("api_error", "The upstream sent an event that is no JSON object.");
    else this.#teller.push(reply);
  }
}

const blanks = new Set([0x20, 0x09, 0x0a, 0x0d]);
