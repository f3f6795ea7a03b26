/** A body that was made here, of a value: written down where somebody wants its bytes, and scanned where somebody asks for places in them. */

import type { Change, Json, RequestBody, Span } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { createRequestBody } from "./request-body.ts";

/** @param value not to be altered any more */
export function createMadeBody(value: JsonObject): RequestBody {
  return new MadeBody(value);
}

class MadeBody implements RequestBody {
  readonly #value: JsonObject;
  #bytes: Uint8Array | undefined;
  #scanned: RequestBody | undefined;

  constructor(value: JsonObject) {
    this.#value = value;
  }

  get bytes(): Uint8Array {
    return (this.#bytes ??= Buffer.from(JSON.stringify(this.#value)));
  }

  get #inside(): RequestBody {
    return (this.#scanned ??= createRequestBody(this.bytes));
  }

  field(name: string): Span | undefined {
    return this.#inside.field(name);
  }

  elements(array: Span): readonly Span[] {
    return this.#inside.elements(array);
  }

  members(object: Span): ReadonlyMap<string, Span> {
    return this.#inside.members(object);
  }

  slice(span: Span): Uint8Array {
    return this.#inside.slice(span);
  }

  read(span: Span): Json {
    return this.#inside.read(span);
  }

  value(name: string): Json | undefined {
    return Object.hasOwn(this.#value, name) ? this.#value[name] : undefined;
  }

  json(): { readonly [key: string]: Json } {
    return this.#value;
  }

  edit(changes: readonly Change[]): RequestBody {
    return this.#inside.edit(changes);
  }
}
