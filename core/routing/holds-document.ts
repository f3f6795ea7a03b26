/** Whether a request holds a document, such as a PDF, those inside of tool results too. */

import type { Json, RequestBody } from "../../sdk/body.ts";

const quoted = Buffer.from('"document"');

export function holdsDocument(body: RequestBody): boolean {
  const messages = body.field("messages");
  if (messages === undefined) return false;
  const bytes = body.slice(messages);
  // Most hold none; the others are parsed.
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(quoted)) return false;
  return body.elements(messages).some((span) => isHolder(body.read(span)));
}

/** Of a message, or of a block that has content of its own. */
function isHolder(value: Json): boolean {
  const content = member(value, "content");
  return Array.isArray(content) && content.some((block) => member(block, "type") === "document" || isHolder(block));
}

function member(value: Json | undefined, name: string): Json | undefined {
  return value === null || typeof value !== "object" || Array.isArray(value)
    ? undefined
    : Object.entries(value).find(([key]) => key === name)?.[1];
}
