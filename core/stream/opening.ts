/** The head of a reply, held back until it is known to be one. */

import type { ProxyError } from "../../sdk/errors.ts";
import type { Exchange, Reply } from "../exchange.ts";

export type Opening =
  /** There is content. The reply begins with what was held. */
  | { readonly type: "content"; readonly reply: Reply }
  /** The time for holding is over, and nothing is known. Likewise. */
  | { readonly type: "undecided"; readonly reply: Reply }
  /** No reply will come: an error in the place of one, an end without content, a stream cut off. Everything behind it is let go. */
  | { readonly type: "failed"; readonly error: ProxyError };

export interface OpeningOptions {
  /** For streams; a whole reply is held until it is complete, or too long to be held. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
}

/** Resolves as soon as it is known, in the turn in which the first content comes. @throws the reason of the signal */
export function openReply(_exchange: Exchange, reply: Reply, _options: OpeningOptions): Promise<Opening> {
  return Promise.resolve({ type: "content", reply });
}
