/** Hands out parts of a request body to the sandbox: slices of its bytes, found without parsing anything. */

import type { RequestBody, Span } from "../../sdk/body.ts";
import { lookInside } from "../body/request-body.ts";
import type { RequestShape } from "./protocol.ts";
import type { PartSource } from "./sandbox.ts";

/** The long lists, of which user code mostly reads a few elements. */
const LISTS: readonly string[] = ["messages", "tools"];

export function createPartSource(body: RequestBody): PartSource {
  const found = new Map<string, readonly Span[]>();
  const elementsOf = (field: string): readonly Span[] => {
    const known = found.get(field);
    if (known !== undefined) return known;
    const span = body.field(field);
    const elements = span === undefined ? [] : body.elements(span);
    found.set(field, elements);
    return elements;
  };
  let shape: RequestShape | undefined;
  return {
    get shape() {
      return (shape ??= readShape(body, elementsOf));
    },
    bodyBytes: body.bytes.length,
    part([field, index]) {
      const span = index === -1 ? body.field(field) : elementsOf(field)[index];
      return span === undefined ? undefined : body.slice(span);
    },
  };
}

function readShape(body: RequestBody, elementsOf: (field: string) => readonly Span[]): RequestShape {
  const keys = [...lookInside(body).index.fields.last.keys()];
  const lengths: Record<string, number> = {};
  for (const field of LISTS) {
    const span = body.field(field);
    if (span !== undefined && body.bytes[span.start] === 0x5b) lengths[field] = elementsOf(field).length;
  }
  return { keys, lengths };
}
