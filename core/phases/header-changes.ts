/** Headers that user code sets or takes away: which ones it may, and what becomes of a list when it does. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { isSettableHeader } from "../upstream/headers.ts";
import { RefusedResult } from "./refused-result.ts";

/** Value by lower-case name; null takes the header away. */
export type HeaderChanges = ReadonlyMap<string, string | null>;

const maxChanges = 64;
const maxNameLength = 200;
const maxValueLength = 8192;
/** Upstreams refuse a request whose headers are larger than they like, and few like more. */
const maxTotalLength = 16 * 1024;

/** @throws RefusedResult that names the header */
export function readHeaderChanges(changes: readonly (readonly [name: string, value: string | null])[]): HeaderChanges {
  if (changes.length > maxChanges)
    throw new RefusedResult(`${changes.length} headers were changed; at most ${maxChanges} may be`, "headers");
  const total = changes.reduce((sum, [name, value]) => sum + name.length + (value?.length ?? 0), 0);
  if (total > maxTotalLength)
    throw new RefusedResult(`the changed ones have ${total} characters; wanted at most ${maxTotalLength}`, "headers");
  const read = new Map<string, string | null>();
  for (const [given, value] of changes) {
    const name = given.toLowerCase();
    const path = `headers[${JSON.stringify(given.slice(0, 100))}]`;
    if (name.length > maxNameLength || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw new RefusedResult("is no name of a header", path);
    if (!isSettableHeader(name))
      throw new RefusedResult("belongs to the connection, to a credential or to the proxy and cannot be set", path);
    if (value !== null && value.length > maxValueLength)
      throw new RefusedResult(`has ${value.length} characters; wanted at most ${maxValueLength}`, path);
    if (value !== null && !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new RefusedResult("holds a character that no header may hold", path);
    read.set(name, value);
  }
  return read;
}

/** Those that were there keep their place. */
export function changeHeaders(headers: HeaderList, changes: HeaderChanges): HeaderList {
  if (changes.size === 0) return headers;
  const left = new Map(changes);
  const changed: (readonly [string, string])[] = [];
  for (const header of headers) {
    const [name] = header;
    if (!changes.has(name)) {
      changed.push(header);
      continue;
    }
    const value = left.get(name);
    left.delete(name);
    if (typeof value === "string") changed.push([name, value]);
  }
  for (const [name, value] of left) if (value !== null) changed.push([name, value]);
  return changed;
}
