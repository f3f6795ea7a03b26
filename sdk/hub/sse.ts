/** Server-sent events out of bytes, as the standard has it: LF, CR and CRLF, comments, several data lines, chunks cut anywhere. */

import { ProxyError } from "../errors.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const defaultMaxEventBytes = 32 * 1024 * 1024;

/** Each byte is looked at once, however the chunks fall. */
export class SseSplitter {
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

  constructor(maxEventBytes: number = defaultMaxEventBytes) {
    this.#maxEventBytes = maxEventBytes;
  }

  /**
   * The bytes of each event that this chunk completes, comments and blank lines included.
   * @throws ProxyError 502 when one grows beyond 32 MB
   */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const events: Uint8Array[] = [];
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

  /** Call once, after the last byte: what was begun and never ended, if anything. */
  end(): readonly Uint8Array[] {
    return this.#bytes === 0 ? [] : [this.#take(new Uint8Array())];
  }

  #keep(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxEventBytes) return;
    const message = `The upstream sent an event of more than ${this.#maxEventBytes} bytes.`;
    throw new ProxyError(message, { status: 502, kind: "api_error" });
  }

  #take(last: Uint8Array): Uint8Array {
    const raw = this.#bytes === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#bytes = 0;
    return raw;
  }
}

export interface SseFields {
  /** Of `event:`; empty where there is none. */
  readonly name: string;
  /** Empty where there is none, as in a comment. */
  readonly data: string;
}

export function readFields(raw: Uint8Array): SseFields {
  const lines = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString("utf8");
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

/** The events of a stream as names and data; comments are left out. */
export class SseReader {
  readonly #splitter = new SseSplitter();

  push(chunk: Uint8Array): readonly SseFields[] {
    return this.#splitter.push(chunk).map(readFields).filter(saysSomething);
  }

  /** An event whose last line break is missing still counts: many hosts end so. */
  end(): readonly SseFields[] {
    return this.#splitter.end().map(readFields).filter(saysSomething);
  }
}

function saysSomething({ name, data }: SseFields): boolean {
  return data !== "" || name !== "";
}
