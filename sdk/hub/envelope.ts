/**
 * What only its producer can read (signatures, encrypted reasoning), carried in the client's own history: in the
 * `signature` of a thinking block, or wherever else a client's dialect keeps opaque text.
 */

import type { Json } from "../body.ts";

/**
 * Begins with a letter that text and code hardly hold, which makes the search for it thirty times faster; nine bytes,
 * so that its base64 is a beginning, too.
 */
export const sealPrefix = "Zccproxy.";

export interface Sealed {
  /** Who can read it, see `Target.producer`. */
  readonly producer: string;
  readonly payload: Json;
}

/** Text in the alphabet of base64url, so that no dialect refuses it. The same input gives the same text. */
export function seal({ producer, payload }: Sealed): string {
  return sealPrefix + Buffer.from(JSON.stringify([producer, payload])).toString("base64url");
}

/** Undefined for what was not sealed here, or was damaged on the way. */
export function unseal(text: string): Sealed | undefined {
  if (!isSealed(text)) return undefined;
  try {
    const value: Json = JSON.parse(Buffer.from(text.slice(sealPrefix.length), "base64url").toString("utf8"));
    if (!Array.isArray(value) || typeof value[0] !== "string") return undefined;
    return { producer: value[0], payload: value[1] ?? null };
  } catch {
    return undefined;
  }
}

/** Told by its beginning: whoever made the text that begins so, it is no vendor's. */
export function isSealed(text: string): boolean {
  return text.startsWith(sealPrefix);
}

/** The bytes that every request holds in which something was sealed: to be searched for before anything is parsed. */
export const sealMark: Buffer = Buffer.from(sealPrefix);

/** The producer of blocks that are sealed whole, thinking of the hub in a client's dialect that has no such thing. */
export const hubProducer = "hub";
