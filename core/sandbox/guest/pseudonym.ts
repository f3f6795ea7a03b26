/** `context.pseudonym`: a stand-in for a text that is the same each time and cannot be turned back. */

import { SandboxError } from "./errors.ts";
import { hmac, hmacKey, type HmacKey } from "./sha256.ts";
import { encodeUtf8 } from "./text-coding.ts";

const keys = new Map<string, HmacKey>();

/** @param keyText 64 hexadecimal digits */
export function createPseudonym(keyText: string): (text: string) => string {
  return (text) => {
    if (typeof text !== "string") throw new SandboxError(`context.pseudonym: got a ${typeof text}; wanted a text`);
    let key = keys.get(keyText);
    if (key === undefined) {
      key = hmacKey(fromHex(keyText));
      keys.set(keyText, key);
    }
    let digits = "";
    for (const byte of hmac(key, encodeUtf8(text)).subarray(0, 8)) digits += byte.toString(16).padStart(2, "0");
    return digits;
  };
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16));
}
