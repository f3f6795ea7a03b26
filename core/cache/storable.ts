/** Whether a reply that has gone by is one to be given again: whole, and no error in disguise. */

import type { Json } from "../../sdk/body.ts";
import type { Ingress, Operation, Usage } from "../../sdk/dialect.ts";
import { events as hubEvents } from "../../sdk/hub/events.ts";
import { record } from "../../sdk/hub/json.ts";
import type { Reply } from "../exchange.ts";
import { headerValue } from "../upstream/headers.ts";
import type { ReplyForm } from "./plan.ts";

/** Where its bytes are read. */
export interface Asked {
  readonly operation: Operation;
  readonly ingress: Ingress;
  /** The hub's own. */
  readonly hub: Ingress;
  readonly form: ReplyForm;
}

export type ReplyHead = Pick<Reply, "status" | "headers" | "isEventStream" | "format">;

/** Whether it is worth a copy at all. */
export function mayBeStored({ status, headers, isEventStream, format }: ReplyHead, { ingress, form }: Asked): boolean {
  // Bytes in a coding that only this caller takes; a stream in a shape that only its own dialect has.
  const isPlain = headerValue(headers, "content-encoding") === undefined;
  return status === 200 && isPlain && (isEventStream || form !== "other" || isHubs(ingress, format));
}

export function isHubs(ingress: Ingress, format: Reply["format"]): boolean {
  return format === "hub" || ingress.translation === undefined;
}

/** @returns undefined for one that is not to be given again */
export function judgeWhole(head: ReplyHead, body: Uint8Array, asked: Asked): { readonly usage: Usage | undefined } | undefined {
  if (asked.operation === "embeddings") return isObject(textOf(body)) ? { usage: undefined } : undefined;
  const reader = isHubs(asked.ingress, head.format) ? asked.hub : asked.ingress;
  if (!head.isEventStream && !isWholeReply(textOf(body), reader, asked)) return undefined;
  const watch = reader.watch(headerValue(head.headers, "content-type")?.toLowerCase() ?? "application/json");
  watch.push(body);
  const { complete, error, usage } = watch.end();
  return complete && error === undefined ? { usage } : undefined;
}

function isWholeReply(text: string, reader: Ingress, { hub }: Asked): boolean {
  if (reader === hub || reader.translation === undefined) return hubEvents.isMessage(text);
  return isObject(text) && typeof (reader.meaning?.(text, "") ?? "content") === "string";
}

function isObject(text: string): boolean {
  try {
    const value: Json = JSON.parse(text);
    const object = record(value);
    return object !== undefined && record(object["error"]) === undefined;
  } catch {
    return false;
  }
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8");
}
