/** The head of a reply, held back until it is known to be one. */

import type { ProxyError } from "../../sdk/errors.ts";
import { readMeaning } from "../../sdk/hub/event-meaning.ts";
import type { Exchange, Reply } from "../exchange.ts";
import { headerValue } from "../upstream/headers.ts";
import { type EventSource, writeEvents } from "./event-source.ts";
import { hold } from "./hold.ts";
import { holdBody, holdEvents } from "./holdable.ts";
import { type Meaning, type Verdict, judgeEvents, judgeStream, judgeWhole } from "./judges.ts";

export type Opening =
  /** There is content. The reply begins with what was held. */
  | { readonly type: "content"; readonly reply: Reply }
  /** The time for holding is over, or more came than is held, and nothing is known. Likewise. */
  | { readonly type: "undecided"; readonly reply: Reply }
  /**
   * No reply will come. Everything behind it is let go.
   * @param found an error that the upstream told in the place of a reply, an end without content, or a reply that broke off or is none
   */
  | { readonly type: "failed"; readonly found: "error" | "empty" | "broken"; readonly error: ProxyError };

export interface OpeningOptions {
  /** For streams; a whole reply is held until it is complete, or too long to be held. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
}

/**
 * Resolves as soon as it is known, in the turn in which the first content comes. What cannot be read counts as content.
 * @throws the reason of the signal, once everything behind the reply is let go
 */
export async function openReply(exchange: Pick<Exchange, "ingress">, reply: Reply, { holdMs, signal }: OpeningOptions): Promise<Opening> {
  if (reply.status !== 200 || headerValue(reply.headers, "content-encoding") !== undefined) return { type: "content", reply };
  if (reply.events !== undefined) return openEvents(reply, reply.events, { holdMs, signal });
  const meaning = meaningFor(exchange, reply);
  if (meaning === undefined) return { type: "content", reply };
  const judge = reply.isEventStream ? judgeStream(meaning) : judgeWhole(meaning);
  const source = holdBody(reply.body);
  const { verdict, taken } = await hold(source, judge, { holdMs: reply.isEventStream ? holdMs : undefined, signal });
  if (verdict?.type === "failed") {
    source.letGo();
    return verdict;
  }
  return opened(verdict, { ...reply, body: source.handOn(taken) });
}

async function openEvents(reply: Reply, events: EventSource, options: OpeningOptions): Promise<Opening> {
  const source = holdEvents(events);
  const { verdict, taken } = await hold(source, judgeEvents(), options);
  if (verdict?.type === "failed") {
    source.letGo();
    return verdict;
  }
  const held = source.handOn(taken);
  return opened(verdict, { ...reply, events: held, body: writeEvents(held) });
}

function opened(verdict: Exclude<Verdict, { readonly type: "failed" }> | undefined, reply: Reply): Opening {
  return { type: verdict?.type === "content" ? "content" : "undecided", reply };
}

/** Undefined where nobody can read the reply's dialect. */
function meaningFor({ ingress }: Pick<Exchange, "ingress">, { format }: Reply): Meaning | undefined {
  // Where the two are the same, bytes of the hub are the client's own.
  if (format === "hub" && ingress.translation !== undefined) return readMeaning;
  return ingress.meaning?.bind(ingress);
}
