/** The proxy's own errors as whole replies, whatever the envelope of the dialect. */

import type { LocalReply } from "../dialect.ts";
import type { ProxyError } from "../errors.ts";
import { jsonReply } from "./local-message.ts";

export interface ErrorReply {
  readonly requestId: string;
  /** Where the vendor's clients look for it. */
  readonly idHeader: string;
  /** In the dialect's own envelope. */
  readonly body: unknown;
}

export function errorReply(error: ProxyError, { requestId, idHeader, body }: ErrorReply): LocalReply {
  const reply = jsonReply(error.status, body);
  const own = Object.entries(error.headers).filter(([name]) => name !== idHeader);
  return { ...reply, headers: [...reply.headers, [idHeader, requestId], ...own] };
}

/** The place that one of our own messages begins with (`messages.0.content: found …`), for envelopes that have a field for it. */
export function placeOf({ kind, message }: ProxyError): string | null {
  return kind === "invalid_request_error" ? (/^([a-z_]+(?:\.\w+)*): found /.exec(message)?.[1] ?? null) : null;
}
