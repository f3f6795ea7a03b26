/**
 * What a reply holds that only its producer can read, and where it goes in the next request: on the very part it came
 * with. A signed part is never joined with another one, so how much of a text was signed is kept beside it.
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";

export type SealedState =
  /** On the next call. */
  | { readonly place: "call"; readonly signature: string }
  /** On the first `length` characters of the next text. */
  | { readonly place: "text"; readonly signature: string; readonly length: number }
  /** On the last `length` characters of the text before; on an empty part behind it where that is 0. */
  | { readonly place: "before"; readonly signature: string; readonly length: number }
  /** On the last `length` characters of the thought that carries this. */
  | { readonly place: "thought"; readonly signature: string; readonly length: number }
  /** A part that goes back as it came: what a tool of the host did. */
  | { readonly place: "part"; readonly part: JsonObject };

/** Undefined for what was not written here. */
export function readState(payload: Json | undefined): SealedState | undefined {
  const state = record(payload);
  const place = text(state?.["place"]);
  const part = record(state?.["part"]);
  if (place === "part") return part === undefined ? undefined : { place, part };
  const signature = text(state?.["signature"]);
  if (signature === undefined || signature === "") return undefined;
  if (place === "call") return { place, signature };
  const length = state?.["length"];
  if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) return undefined;
  return place === "text" || place === "before" || place === "thought" ? { place, signature, length } : undefined;
}

/** The first `length` characters signed, the rest not. A text that is not the one that was signed keeps the signature beside it. */
export function signFront(
  words: string,
  { signature, length }: { readonly signature: string; readonly length: number },
): readonly JsonObject[] {
  if (length > words.length || length === 0) return [{ text: words }, { text: "", thoughtSignature: signature }];
  const rest = words.slice(length);
  return [{ text: words.slice(0, length), thoughtSignature: signature }, ...(rest === "" ? [] : [{ text: rest }])];
}

/** The last `length` characters signed, the rest not. @param flags of each part */
export function signBack(
  words: string,
  { signature, length }: { readonly signature: string; readonly length: number },
  flags: JsonObject = {},
): readonly JsonObject[] {
  const cut = length > words.length ? words.length : words.length - length;
  const front = words.slice(0, cut);
  return [...(front === "" ? [] : [{ ...flags, text: front }]), { ...flags, text: words.slice(cut), thoughtSignature: signature }];
}
