/** An answer in one piece where a stream was asked for: a client that reads events would not see the error in it. */

import type { EventMeaning } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { statusOfKind } from "../../sdk/hub/error-kinds.ts";
import type { Exchange, Reply } from "../exchange.ts";
import { bodyOf, collectReply } from "../stream/collect-reply.ts";
import { headerValue } from "../upstream/headers.ts";

/** Errors are short, and say how long they are. */
const longestBytes = 64 * 1024;

/** @returns the same reply, or the error that it is */
export async function readOddReply({ facts, ingress, operation }: Exchange, reply: Reply): Promise<Reply | ProxyError> {
  const length = Number(headerValue(reply.headers, "content-length") ?? NaN);
  const isOdd = facts.stream && operation === "generate" && !reply.isEventStream && reply.status === 200;
  if (!isOdd || !(length <= longestBytes) || ingress.meaning === undefined) return reply;
  const collected = await collectReply(reply.body, longestBytes);
  if (!collected.isWhole) return { ...reply, body: collected.body };
  const meaning: EventMeaning = ingress.meaning(Buffer.from(collected.bytes).toString("utf8"), "");
  if (typeof meaning === "string") return { ...reply, body: bodyOf(collected.bytes) };
  return new ProxyError(meaning.message, { status: statusOfKind(meaning.error), kind: meaning.error });
}
