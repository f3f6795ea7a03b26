/** Ids of tool calls as a host takes them. The same id gives the same one in every turn. */

import { createHash } from "node:crypto";

import { producerToolId } from "../../sdk/hub/tool-ids.ts";

/** OpenAI: "Expected a string with maximum length 40", of `messages[].tool_calls[].id`. */
const longestId = 40;
const nineChars = /^[a-zA-Z0-9]{9}$/;
const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** @param nine whether it must be nine letters and digits, as Mistral wants it */
export function wireCallId(id: string, nine: boolean): string {
  const own = producerToolId(id);
  if (nine) return nineChars.test(own) ? own : hashed(own);
  return own.length <= longestId
    ? own
    : `call_${digest(own)
        .toString("hex")
        .slice(0, longestId - "call_".length)}`;
}

function hashed(id: string): string {
  return Array.from(digest(id).subarray(0, 9), (byte) => alphabet[byte % alphabet.length] ?? "a").join("");
}

function digest(id: string): Buffer {
  return createHash("sha256").update(id).digest();
}
