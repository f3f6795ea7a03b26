/** A request body that keeps its bytes: scanned once, parsed only where asked, changed by splicing. */

import type { Change, Json, RequestBody, Span } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { viewBytes, type ByteView } from "./byte-view.ts";
import { scanBody, type BodyIndex } from "./scan.ts";
import { spliceFields } from "./splice.ts";
import { walkElements, walkMembers } from "./walk.ts";

/**
 * Reads the bytes of one JSON object. They are kept, not copied: whoever hands them over must not write to
 * them again. Costs one pass that finds the top-level fields; see `scanBody` for what is checked.
 *
 * @throws ProxyError 400 `invalid_request_error` when the bytes are not one JSON object
 */
export function createRequestBody(bytes: Uint8Array): RequestBody {
  return createIndexedBody(scan(bytes));
}

/** Of a body made here: its bytes, and where things stand in them. Any other one is scanned. */
export function lookInside(body: RequestBody): Inside {
  return ScannedBody.inside(body) ?? scan(body.bytes);
}

/** A body over bytes whose index is known already. */
export function createIndexedBody({ view, index }: Inside): RequestBody {
  return new ScannedBody(view, index);
}

export interface Inside {
  readonly view: ByteView;
  readonly index: BodyIndex;
}

function scan(bytes: Uint8Array): Inside {
  const view = viewBytes(bytes);
  return { view, index: scanBody(view) };
}

class ScannedBody implements RequestBody {
  readonly bytes: Uint8Array;
  readonly #view: ByteView;
  readonly #index: BodyIndex;
  /** What was parsed, by the offset of its first byte: no two values begin at the same one. */
  readonly #parsed = new Map<number, { readonly end: number; readonly value: Json }>();

  constructor(view: ByteView, index: BodyIndex) {
    this.bytes = view.bytes;
    this.#view = view;
    this.#index = index;
  }

  static inside(body: RequestBody): Inside | undefined {
    return #index in body ? { view: body.#view, index: body.#index } : undefined;
  }

  field(name: string): Span | undefined {
    const { last, starts, ends } = this.#index.fields;
    const number = last.get(name);
    return number === undefined ? undefined : { start: starts[number]!, end: ends[number]! };
  }

  elements(array: Span): readonly Span[] {
    return walkElements(this.#view, this.#index.jumps, array);
  }

  members(object: Span): ReadonlyMap<string, Span> {
    return walkMembers(this.#view, this.#index.jumps, object);
  }

  slice(span: Span): Uint8Array {
    return this.#view.bytes.subarray(span.start, span.end);
  }

  read(span: Span): Json {
    const known = this.#parsed.get(span.start);
    if (known !== undefined && known.end === span.end) return known.value;
    const value = this.#parse(span);
    this.#parsed.set(span.start, { end: span.end, value });
    return value;
  }

  value(name: string): Json | undefined {
    const span = this.field(name);
    return span === undefined ? undefined : this.read(span);
  }

  json(): { readonly [key: string]: Json } {
    const { open, close } = this.#index;
    const value = this.read({ start: open, end: close });
    return isObject(value) ? value : {};
  }

  edit(changes: readonly Change[]): RequestBody {
    const spliced = spliceFields(this.#view.bytes, this.#index, changes);
    return spliced === undefined ? this : new ScannedBody(viewBytes(spliced.bytes), spliced.index);
  }

  #parse(span: Span): Json {
    try {
      const value: Json = JSON.parse(this.#view.bytes.toString("utf8", span.start, span.end));
      return value;
    } catch {
      // The parser's own message quotes the text, which may be secret.
      const message = `The request body holds invalid JSON between bytes ${span.start} and ${span.end}.`;
      throw new ProxyError(message, { status: 400, kind: "invalid_request_error" });
    }
  }
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
