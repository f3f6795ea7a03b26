/** A request body over bytes made here, for what has no scanner at hand. Each question walks the top level once. */

import type { Change, Json, RequestBody, Span } from "../body.ts";
import { ProxyError } from "../errors.ts";
import type { JsonObject } from "../events.ts";
import { type Item, bufferOf, itemsOf, spliceBytes } from "./json-bytes.ts";
import { record } from "./json.ts";

/** @param bytes one JSON object; kept, not copied */
export function bodyOf(bytes: Uint8Array): RequestBody {
  return new ByteBody(bufferOf(bytes));
}

class ByteBody implements RequestBody {
  readonly bytes: Buffer;
  readonly #open: number;
  #fields: readonly Item[] | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    // A byte order mark may stand before it.
    this.#open = Math.max(0, bytes.indexOf("{"));
  }

  field(name: string): Span | undefined {
    return this.#table().findLast((item) => item.name === name);
  }

  elements(array: Span): readonly Span[] {
    return this.bytes[array.start] === 0x5b ? itemsOf(this.bytes, array.start) : [];
  }

  members(object: Span): ReadonlyMap<string, Span> {
    if (this.bytes[object.start] !== 0x7b) return new Map();
    return new Map(itemsOf(this.bytes, object.start).map((item) => [item.name, item]));
  }

  slice({ start, end }: Span): Uint8Array {
    return this.bytes.subarray(start, end);
  }

  read({ start, end }: Span): Json {
    try {
      const value: Json = JSON.parse(this.bytes.toString("utf8", start, end));
      return value;
    } catch {
      // The parser's own message quotes the text, which may be secret.
      const message = `The request body holds invalid JSON between bytes ${start} and ${end}.`;
      throw new ProxyError(message, { status: 400, kind: "invalid_request_error" });
    }
  }

  value(name: string): Json | undefined {
    const span = this.field(name);
    return span === undefined ? undefined : this.read(span);
  }

  json(): JsonObject {
    return record(this.read({ start: this.#open, end: this.bytes.length })) ?? {};
  }

  edit(changes: readonly Change[]): RequestBody {
    const fields = this.#table();
    const values = new Map(changes.map(({ field, value }) => [field, JSON.stringify(value)]));
    const splices = fields.flatMap(({ name, start, end }) => {
      const content = values.get(name);
      return content === undefined || content === this.bytes.toString("utf8", start, end) ? [] : [{ start, end, content }];
    });
    const known = new Set(fields.map(({ name }) => name));
    const added = [...values].filter(([name]) => !known.has(name)).map(([name, json]) => `${JSON.stringify(name)}:${json}`);
    if (splices.length === 0 && added.length === 0) return this;
    const front = this.#open + 1;
    const insertion = { start: front, end: front, content: added.join(",") + (added.length > 0 && fields.length > 0 ? "," : "") };
    return new ByteBody(spliceBytes(this.bytes, [insertion, ...splices]));
  }

  #table(): readonly Item[] {
    return (this.#fields ??= itemsOf(this.bytes, this.#open));
  }
}
