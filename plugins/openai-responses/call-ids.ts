/** Ids of calls as this wire takes them. The same id gives the same one in every turn. */

import { createHash } from "node:crypto";

import { producerToolId } from "../../sdk/hub/tool-ids.ts";
import { longestId } from "./wire.ts";

/** "Invalid 'input[2].call_id': string too long. Expected a string with maximum length 64". */
export function wireCallId(id: string): string {
  const own = producerToolId(id);
  if (own !== "" && own.length <= longestId) return own;
  return `call_${createHash("sha256")
    .update(own)
    .digest("hex")
    .slice(0, longestId - "call_".length)}`;
}
