/** Splits the bytes of an event stream into its events, as the standard of server-sent events has it. */

import { ProxyError } from "../errors.ts";
import type { EventSplitter, JsonObject, StreamEvent } from "../events.ts";
import type { Json } from "../body.ts";
import { record, text } from "./json.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Each byte is looked at once, however the chunks fall. */
export class AnthropicEventSplitter implements EventSplitter {
  readonly #maxEventBytes: number;
  /** Of the event that has begun, in earlier chunks. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #lineIsEmpty = true;
  /** How the line before ended: only after CRLF does a CR promise an LF. */
  #lastEnding: "lf" | "crlf" | "cr" = "lf";
  /** The last byte was a CR, whose LF may follow. */
  #afterReturn = false;
  /** The event is complete but for that LF. */
  #held = false;

  constructor(maxEventBytes: number = 32 * 1024 * 1024) {
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Uint8Array): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    // Most streams hold no CR at all, and are searched for one once per chunk.
    let nextReturn = chunk.indexOf(carriageReturn);
    let nextFeed = chunk.indexOf(lineFeed);
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#afterReturn) {
        this.#afterReturn = false;
        if (chunk[at] === lineFeed) {
          at++;
          this.#lastEnding = "crlf";
        }
        if (this.#held) {
          this.#held = false;
          events.push(this.#take(chunk.subarray(start, at)));
          start = at;
        }
        continue;
      }
      if (nextFeed !== -1 && nextFeed < at) nextFeed = chunk.indexOf(lineFeed, at);
      if (nextReturn !== -1 && nextReturn < at) nextReturn = chunk.indexOf(carriageReturn, at);
      const end = nextFeed === -1 ? nextReturn : nextReturn === -1 ? nextFeed : Math.min(nextFeed, nextReturn);
      if (end === -1) {
        this.#lineIsEmpty = false;
        break;
      }
      const isBlank = this.#lineIsEmpty && end === at;
      this.#lineIsEmpty = true;
      at = end + 1;
      if (end === nextReturn) {
        this.#afterReturn = true;
        this.#held = isBlank && (at < chunk.length || this.#lastEnding === "crlf");
        this.#lastEnding = "cr";
        if (this.#held) continue;
      } else {
        this.#lastEnding = "lf";
      }
      if (!isBlank) continue;
      events.push(this.#take(chunk.subarray(start, at)));
      start = at;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return events;
  }

  end(): readonly StreamEvent[] {
    return this.#bytes === 0 ? [] : [this.#take(new Uint8Array())];
  }

  #keep(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxEventBytes) return;
    const message = `The upstream sent an event of more than ${this.#maxEventBytes} bytes; no hook can be shown that much.`;
    throw new ProxyError(message, { status: 502, kind: "api_error" });
  }

  #take(last: Uint8Array): StreamEvent {
    const raw = this.#bytes === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#bytes = 0;
    return readEvent(raw);
  }
}

function readEvent(raw: Uint8Array): StreamEvent {
  const { name, data } = readFields(Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString("utf8"));
  const value = parseObject(data);
  const type = text(value?.["type"]) ?? "";
  if (type !== "") return { raw, type, data, value };
  if (value === undefined || name === "") return { raw, type: "", data: "", value: undefined };
  // Some hosts leave the type to the name of the event.
  const named = { ...value, type: name };
  return { raw, type: name, data: JSON.stringify(named), value: named };
}

function readFields(lines: string): { readonly name: string; readonly data: string } {
  let name = "";
  let data: string | undefined;
  for (const line of lines.split(/\r\n|\n|\r/)) {
    const field = line.startsWith("\uFEFF") ? line.slice(1) : line;
    if (field.startsWith("data:")) {
      const value = field.slice(field[5] === " " ? 6 : 5);
      data = data === undefined ? value : `${data}\n${value}`;
    } else if (field.startsWith("event:")) {
      name = field.slice(field[6] === " " ? 7 : 6);
    }
  }
  return { name, data: data ?? "" };
}

function parseObject(data: string): JsonObject | undefined {
  if (data === "") return undefined;
  try {
    const value: Json = JSON.parse(data);
    return record(value);
  } catch {
    return undefined;
  }
}
