/** How many tokens a request has: roughly from its size, exactly where that would mislead. */

import type { Awaitable } from "../../sdk/routing-store.ts";
import type { Exchange } from "../exchange.ts";
import { holdsDocument } from "./holds-document.ts";

/** As exactly as can be. */
export type CountTokens = (exchange: Exchange) => Awaitable<number>;

const bytesPerToken = 4;

export function estimateTokens({ facts }: Exchange): number {
  return Math.ceil(facts.bodyBytes / bytesPerToken);
}

/** Whether the size says little: a picture has a thousand times more bytes than tokens. */
export function holdsMedia({ facts, request }: Exchange): boolean {
  return facts.hasImage || holdsDocument(request);
}

/** Undefined where it could not be counted: then nobody is turned away for it. */
export function tokensOf(exchange: Exchange, count: CountTokens | undefined): Awaitable<number | undefined> {
  if (count === undefined) return estimateTokens(exchange);
  const counted = count(exchange);
  return counted instanceof Promise ? counted.catch(() => undefined) : counted;
}
