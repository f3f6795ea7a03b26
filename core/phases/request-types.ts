/** Looks whether a changed request is still one: a hook that breaks it is at fault, not the caller it would be blamed on. */

import type { Json, RequestBody, Span } from "../../sdk/body.ts";
import { RefusedResult } from "./refused-result.ts";

type Kind = "a text" | "a list" | "an object" | "a number" | "true or false" | "null";

const kinds: ReadonlyMap<string, readonly Kind[]> = new Map<string, readonly Kind[]>([
  ["model", ["a text"]],
  ["messages", ["a list"]],
  ["system", ["a text", "a list"]],
  ["tools", ["a list"]],
  ["max_tokens", ["a number"]],
]);
/** No request is one without them. */
const required: ReadonlySet<string> = new Set(["model", "messages"]);
/** As long as a client may write it. */
const maxNameLength = 500;
const listsOfObjects: ReadonlySet<string> = new Set(["messages", "tools"]);

/**
 * What the client itself sent is not looked at: only what is different now.
 * @throws RefusedResult that names the field
 */
export function checkChangedRequest(before: RequestBody, after: RequestBody): void {
  // The client waits for a reply of the form it asked for.
  if (!isSame(before, after, "stream")) throw new RefusedResult("whether the reply is streamed is for the client to say", "stream");
  for (const [field, wanted] of kinds) {
    if (isSame(before, after, field)) continue;
    const span = after.field(field);
    if (span === undefined) {
      if (required.has(field)) throw new RefusedResult("was taken away, and no request is one without it", field);
      continue;
    }
    const kind = kindAt(after, span);
    if (!wanted.includes(kind)) throw new RefusedResult(`is ${kind}; wanted ${wanted.join(" or ")}`, field);
    if (field === "model") checkName(after.value(field), field);
    if (listsOfObjects.has(field)) checkElements(after, span, field);
  }
}

function checkName(name: Json | undefined, field: string): void {
  const { length } = typeof name === "string" ? name : "";
  if (length === 0) throw new RefusedResult("is empty; wanted the name of a model", field);
  if (length > maxNameLength) throw new RefusedResult(`has ${length} characters; wanted at most ${maxNameLength}`, field);
}

function checkElements(body: RequestBody, list: Span, field: string): void {
  for (const [index, element] of body.elements(list).entries()) {
    const kind = kindAt(body, element);
    if (kind !== "an object") throw new RefusedResult(`is ${kind}; wanted an object`, `${field}[${index}]`);
  }
}

function isSame(before: RequestBody, after: RequestBody, field: string): boolean {
  const old = before.field(field);
  const changed = after.field(field);
  if (old === undefined || changed === undefined) return old === changed;
  return Buffer.compare(before.slice(old), after.slice(changed)) === 0;
}

function kindAt({ bytes }: RequestBody, { start }: Span): Kind {
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '"':
      return "a text";
    case "[":
      return "a list";
    case "{":
      return "an object";
    case "t":
    case "f":
      return "true or false";
    case "n":
      return "null";
    default:
      return "a number";
  }
}
