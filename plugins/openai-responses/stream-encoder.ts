/** A reply of the hub as a stream of this wire, or as a whole response. */

import type { LocalReply, ReplyOptions, StreamEncoder } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { explode } from "../../sdk/hub/explode.ts";
import { record } from "../../sdk/hub/json.ts";
import { jsonReply } from "../../sdk/hub/local-message.ts";
import { ResponseTeller } from "./response-teller.ts";
import { eventText } from "./wire.ts";

export class ResponseStreamEncoder implements StreamEncoder {
  readonly #teller: ResponseTeller;
  #text = "";
  #number = 0;

  constructor(options: ReplyOptions) {
    this.#teller = new ResponseTeller(options, (type, event) => {
      this.#text += eventText(type, { type, sequence_number: this.#number++, ...event });
    });
  }

  push(event: JsonObject): string {
    this.#teller.push(event);
    return this.#take();
  }

  fail(error: ProxyError): string {
    this.#teller.fail({ type: error.kind, message: error.message });
    return this.#take();
  }

  end(): string {
    return this.fail(new ProxyError("The answer ended before it was complete.", { status: 502, kind: "api_error" }));
  }

  #take(): string {
    const told = this.#text;
    this.#text = "";
    return told;
  }
}

/** Told in the same events, to nobody: so it cannot be another one. */
export function encodeWhole(message: JsonObject, options: ReplyOptions): LocalReply {
  const teller = new ResponseTeller(options, () => {});
  for (const event of explode(JSON.stringify(message)) ?? []) {
    const value: Json = JSON.parse(event);
    teller.push(record(value) ?? {});
  }
  return jsonReply(200, teller.response);
}
