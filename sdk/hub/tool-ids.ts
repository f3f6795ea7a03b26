/** Ids of tool calls: the hub takes letters, digits, `_` and `-`; some producers put other things there, or nothing. */

import { randomUUID } from "node:crypto";

const valid = /^[a-zA-Z0-9_-]+$/;
const mark = "ccid_";

/** An id for the hub. The same id gives the same one; none gives a new one. */
export function hubToolId(id: string | undefined): string {
  if (id === undefined || id === "") return `toolu_${randomUUID().replaceAll("-", "")}`;
  return valid.test(id) && !id.startsWith(mark) ? id : mark + Buffer.from(id).toString("base64url");
}

/** The producer's own id again. */
export function producerToolId(id: string): string {
  return id.startsWith(mark) ? Buffer.from(id.slice(mark.length), "base64url").toString("utf8") : id;
}
