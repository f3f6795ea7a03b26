/** What `context.callModel` asks of the proxy: one request to a model group of the configuration, with hooks off. */

import type { Json } from "../../sdk/body.ts";
import type { Exchange } from "../exchange.ts";

export interface NestedRequest {
  /** A model group that the grant names. */
  readonly group: string;
  readonly messages: readonly Json[];
  readonly system: string | undefined;
  readonly maxTokens: number;
}

/**
 * Sends the request as the parent's caller: the credential is chosen as it would be for the parent itself.
 * Not streamed; rules and hooks do not run, and nothing that runs for it may call a model in turn.
 *
 * @returns the whole reply
 * @throws ProxyError when there is none; its message may be shown to user code once it is redacted
 */
export type NestedCall = (request: NestedRequest, parent: Exchange, signal: AbortSignal) => Promise<Json>;
