/** The request body as plugins and rules see it: the received bytes, and where things stand in them. */

/** Half-open range of byte offsets into {@link RequestBody.bytes}. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Sets one top-level field. A field that is absent is inserted at the front of the object. */
export interface Change {
  readonly field: string;
  readonly value: Json;
}

/**
 * A JSON object as it came over the wire. The bytes are never altered; `edit` makes a new body that
 * shares every untouched byte. Nothing here parses more than it is asked for.
 */
export interface RequestBody {
  readonly bytes: Uint8Array;
  /** Where the value of a top-level field stands. The last one, when the key is repeated. */
  field(name: string): Span | undefined;
  /** Spans of the elements of an array; empty when the span holds anything else. */
  elements(array: Span): readonly Span[];
  /** Spans of the members of an object, last one of a repeated key; empty when the span holds anything else. */
  members(object: Span): ReadonlyMap<string, Span>;
  /** The bytes of a span, without copying. */
  slice(span: Span): Uint8Array;
  /** Parses one span. @throws ProxyError `invalid_request_error` when it is not valid JSON. */
  read(span: Span): Json;
  /** Parses the value of one top-level field, once. Undefined when absent. */
  value(name: string): Json | undefined;
  /** Parses the whole body, once; every later call returns the same deeply frozen-by-type value. */
  json(): { readonly [key: string]: Json };
  /** A new body with these top-level fields set; every repetition of a changed key is replaced. */
  edit(changes: readonly Change[]): RequestBody;
}
