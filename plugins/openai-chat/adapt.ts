/** A body that a client of this wire sent, for a host of this wire: its model and a few names; the rest byte for byte. */

import type { RequestBody } from "../../sdk/body.ts";
import type { Operation } from "../../sdk/dialect.ts";
import { bodyOf } from "../../sdk/hub/byte-body.ts";
import { type Splice, bufferOf, itemsOf, removeItems, spliceBytes } from "../../sdk/hub/json-bytes.ts";
import { text } from "../../sdk/hub/json.ts";
import type { Target } from "../../sdk/wire.ts";

export function adapt(body: RequestBody, target: Target, operation: Operation): RequestBody {
  const sameModel = text(body.value("model")) === target.model;
  const addressed = sameModel ? body : body.edit([{ field: "model", value: target.model }]);
  if (operation === "embeddings") return addressed;
  const { renamed = {}, refusedMessageFields = ["thinking_blocks"] } = target.quirks.chat ?? {};
  const bytes = bufferOf(addressed.bytes);
  const splices = [...renames(addressed, bytes, renamed), ...removals(addressed, bytes, refusedMessageFields)];
  return splices.length === 0 ? addressed : bodyOf(spliceBytes(bytes, splices));
}

function renames(body: RequestBody, bytes: Buffer, names: Readonly<Record<string, string>>): readonly Splice[] {
  const present = Object.keys(names).filter((name) => body.field(name) !== undefined);
  if (present.length === 0) return [];
  const fields = itemsOf(bytes, bytes.indexOf("{"));
  return fields.flatMap(({ name, keyStart, start }) => {
    const other = Object.hasOwn(names, name) ? names[name] : undefined;
    if (other === undefined) return [];
    return [{ start: keyStart, end: keyEnd(bytes, start), content: JSON.stringify(other) }];
  });
}

/** Between a key and its value there is nothing but blanks and one colon. */
function keyEnd(bytes: Buffer, valueStart: number): number {
  let end = bytes.lastIndexOf(":", valueStart - 1);
  while (bytes[end - 1] !== 0x22) end--;
  return end;
}

/** Searched for as a word first: most bodies have none of them. */
function removals(body: RequestBody, bytes: Buffer, names: readonly string[]): readonly Splice[] {
  const present = new Set(names.filter((name) => bytes.includes(`"${name}"`)));
  const messages = present.size === 0 ? undefined : body.field("messages");
  if (messages === undefined) return [];
  return itemsOf(bytes, messages.start).flatMap((message) => removeItems(itemsOf(bytes, message.start), ({ name }) => present.has(name)));
}
