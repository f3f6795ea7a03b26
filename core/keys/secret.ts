/** Secrets of virtual keys. They are random and long, so a plain hash of them can be stored: nobody guesses what it is of. */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const secretPrefix = "sk-";
const secretBytes = 32;
/** Of shorter ones, which people chose themselves, the end would tell too much. */
const leastShown = 20;

/** `sk-` and 43 characters. */
export function createSecret(): string {
  return `${secretPrefix}${randomBytes(secretBytes).toString("base64url")}`;
}

/** SHA-256 in hex, of all of it: by its beginning alone two keys could be taken for one. */
export function idOf(secret: string): string {
  return createHash("sha256").update(secret, "utf8").digest("hex");
}

/** What people know it by: `sk-...abcd`. */
export function nameOf(secret: string): string {
  return `${secretPrefix}...${secret.length < leastShown ? "" : secret.slice(-4)}`;
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** The id that a text names which is either a secret, as people have it, or an id already. */
export function toId(secretOrId: string): string {
  return isId(secretOrId) ? secretOrId : idOf(secretOrId);
}

/** Whether a secret is that of the key with this id. Takes the same time whatever the first difference, and whatever the length. */
export function opens(secret: string, id: string): boolean {
  const presented = createHash("sha256").update(secret, "utf8").digest();
  const known = Buffer.from(isId(id) ? id : idOf(""), "hex");
  return timingSafeEqual(presented, known) && isId(id);
}
