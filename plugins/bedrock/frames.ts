/**
 * Amazon's binary event stream as server-sent events: of InvokeModelWithResponseStream the events of the Messages API
 * that its chunks hold, of ConverseStream each payload under the name of its event. Exceptions of either become the
 * `error` event of the Messages API, so that the readers of both wires know them.
 * Documented at smithy.io/2.0/aws/amazon-eventstream.html, docs.aws.amazon.com/bedrock/latest/APIReference:
 * API_runtime_InvokeModelWithResponseStream, API_runtime_ConverseStream, API_runtime_PayloadPart.
 */

import { createRequire } from "node:module";
import { crc32 } from "node:zlib";

import type { EventStreamCodec, Message } from "@smithy/eventstream-codec";

import { ProxyError } from "../../sdk/errors.ts";
import { bufferOf } from "../../sdk/hub/json-bytes.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Json } from "../../sdk/body.ts";
import type { Unframer } from "../../sdk/provider.ts";
import { describeException } from "./errors.ts";

/** A payload has at most 16 MB, its headers 128 KB. */
const largestFrame = 17 * 1024 * 1024;
/** Both lengths and their checksum. */
const preludeBytes = 12;
/** A prelude and the checksum of the whole. */
const smallestFrame = 16;

let known: EventStreamCodec | undefined;

/** Loading it takes some twenty milliseconds, which only who asks AWS should pay for; a stream cannot wait for an import. */
function codec(): EventStreamCodec {
  if (known === undefined) {
    const library: { readonly EventStreamCodec: typeof EventStreamCodec } = createRequire(import.meta.url)("@smithy/eventstream-codec");
    known = new library.EventStreamCodec(
      (bytes) => (typeof bytes === "string" ? bytes : bufferOf(bytes).toString("utf8")),
      (words) => Buffer.from(words),
    );
  }
  return known;
}

export function isFramed(contentType: string): boolean {
  return contentType.startsWith("application/vnd.amazon.eventstream");
}

export class FrameReader implements Unframer {
  /** Of the frame that has begun. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Of the whole frame, as soon as it is known. */
  #length: number | undefined;

  push(chunk: Uint8Array): Uint8Array {
    const events: string[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      const wanted = (this.#length ?? preludeBytes) - this.#bytes;
      const piece = rest.subarray(0, wanted);
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      rest = rest.subarray(piece.length);
      if (piece.length < wanted) break;
      const known = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
      this.#pieces = [known];
      if (this.#length === undefined) {
        this.#length = readLength(known);
        continue;
      }
      this.#pieces = [];
      this.#bytes = 0;
      this.#length = undefined;
      events.push(eventOf(decode(known)));
    }
    return Buffer.from(events.join(""));
  }

  /** A frame that was begun and never ended tells nothing: without an end of its own the stream was cut. */
  end(): Uint8Array {
    return new Uint8Array();
  }
}

/** Checked before the frame is waited for: a broken length would be waited for in vain. */
function readLength(prelude: Uint8Array): number {
  const bytes = bufferOf(prelude);
  const length = bytes.readUInt32BE(0);
  if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) throw broken("the checksum of a frame's lengths does not fit");
  if (length < smallestFrame || length > largestFrame) throw broken(`a frame claims to have ${length} bytes`);
  return length;
}

function decode(frame: Uint8Array): Message {
  try {
    return codec().decode(frame);
  } catch {
    throw broken("a frame of its event stream is damaged");
  }
}

function broken(what: string): ProxyError {
  return new ProxyError(`The upstream's event stream cannot be read: ${what}.`, { status: 502, kind: "api_error" });
}

function eventOf({ headers, body }: Message): string {
  const header = (name: string): string => {
    const value = headers[name]?.value;
    return typeof value === "string" ? value : "";
  };
  const payload = bufferOf(body).toString("utf8");
  switch (header(":message-type")) {
    case "exception": {
      const said = parsed(payload);
      return errorEvent(header(":exception-type"), text(said?.["message"]) ?? text(said?.["Message"]) ?? "");
    }
    case "error":
      return errorEvent(header(":error-code"), header(":error-message"));
    default:
  }
  const type = header(":event-type");
  if (type === "chunk") return chunkEvent(payload);
  return type === "" || type === "initial-response" ? "" : sse(type, payload);
}

function errorEvent(type: string, message: string): string {
  const { kind, words } = describeException(type, message);
  return sse("error", JSON.stringify({ type: "error", error: { type: kind, message: words } }));
}

/** What the model said, in base64; what pads it is left out. */
function chunkEvent(payload: string): string {
  const bytes = text(parsed(payload)?.["bytes"]);
  if (bytes === undefined) return "";
  const json = Buffer.from(bytes, "base64").toString("utf8");
  const [, type = text(parsed(json)?.["type"])] = /^\{"type":"([a-z_]+)"/.exec(json) ?? [];
  return type === undefined ? "" : sse(type, json);
}

function sse(name: string, json: string): string {
  // Whitespace of JSON may hold line breaks, which would end the event's data.
  const line = /[\r\n]/.test(json) ? JSON.stringify(parsed(json) ?? null) : json;
  return `event: ${name}\ndata: ${line}\n\n`;
}

function parsed(json: string): { readonly [key: string]: Json } | undefined {
  try {
    const value: Json = JSON.parse(json);
    return record(value);
  } catch {
    return undefined;
  }
}
