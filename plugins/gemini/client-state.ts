/**
 * Thinking of the hub in the history of clients of this dialect: whole blocks, packed into the `thoughtSignature` of the
 * part that followed them. The field is base64, and clients decode it as such.
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { hubProducer, seal, unseal, sealPrefix } from "../../sdk/hub/envelope.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { readState } from "./state.ts";
import { field, objects, signatureSentinel } from "./wire.ts";

/** What every packed signature begins with: the base64 of the beginning of a seal. */
const packedPrefix = Buffer.from(sealPrefix).toString("base64");

/** What every request holds in whose history something was packed. */
export const packedMark: string = `"${packedPrefix}`;

/** @param blocks thinking of the hub, in order */
export function pack(blocks: readonly JsonObject[]): string {
  return Buffer.from(seal({ producer: hubProducer, payload: blocks })).toString("base64");
}

/** Undefined for what was not packed here. */
export function unpack(signature: string): readonly JsonObject[] | undefined {
  // Some clients write the alphabet for URLs; Buffer reads both.
  if (!signature.startsWith(packedPrefix)) return undefined;
  const sealed = unseal(Buffer.from(signature, "base64").toString("utf8"));
  if (sealed?.producer !== hubProducer) return undefined;
  return objects(sealed.payload).filter((block) => block["type"] === "thinking" || block["type"] === "redacted_thinking");
}

export interface RestoreOptions {
  /** Who made what may go back as it was. */
  readonly producer: string;
  /** Whether a call without a signature is refused. */
  readonly needsSignature: boolean;
}

/** Contents of a client for a host of this very wire, which knows nothing of what is packed: its own signatures again, where it made them. */
export function restoreContents(contents: Json, options: RestoreOptions): Json {
  if (!Array.isArray(contents)) return contents;
  return contents.map((content: Json) => {
    const parts = record(content)?.["parts"];
    if (!Array.isArray(parts)) return content;
    return { ...record(content), parts: parts.map((part: Json) => restorePart(part, options)) };
  });
}

function restorePart(value: Json, { producer, needsSignature }: RestoreOptions): Json {
  const part = record(value);
  const signature = text(field(part, "thoughtSignature"));
  const blocks = signature === undefined ? undefined : unpack(signature);
  if (part === undefined || blocks === undefined) return value;
  const { thoughtSignature: _, thought_signature: __, ...rest } = part;
  const isCall = field(part, "functionCall") !== undefined;
  const own = blocks.map((block) => ownSignature(block, producer)).findLast((found) => found !== undefined);
  const restored = own ?? (isCall && needsSignature ? signatureSentinel : undefined);
  return restored === undefined ? rest : { ...rest, thoughtSignature: restored };
}

function ownSignature(block: JsonObject, producer: string): string | undefined {
  const sealed = unseal(text(block["signature"]) ?? "");
  const state = sealed?.producer === producer ? readState(sealed.payload) : undefined;
  return state === undefined || state.place === "part" ? undefined : state.signature;
}
