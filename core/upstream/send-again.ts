/**
 * When a request may be sent a second time although it is none that may be repeated (RFC 9110 §9.2.2): when in all
 * likelihood nobody had taken it. A host that closes an idle connection does so without regard to what is on its way
 * there; all a request can do to a model's host is to be billed.
 */

import type { UpstreamRequest } from "./send.ts";

export interface Unanswered {
  readonly error: Error;
  /** Whether the connection had served another request before. */
  readonly isReused: boolean;
  /** Whether anything of a response came. */
  readonly isAnswered: boolean;
  /** Whether its body is still there. */
  readonly isRepeatable: boolean;
  /** Since it was written. */
  readonly ms: number;
}

/** Whoever closes later than this may have read the request. */
const soonMs = 1000;

const closedCodes: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

export function mayBeSentAgain(
  { retryStale = true }: Pick<UpstreamRequest, "retryStale">,
  { error, isReused, isAnswered, isRepeatable, ms }: Unanswered,
): boolean {
  if (!retryStale || isAnswered || !isRepeatable) return false;
  if (isRefusedStream(error)) return true;
  return isReused && ms < soonMs && "code" in error && closedCodes.has(error.code);
}

/** HTTP/2: the host says that it has not looked at it (RFC 9113 §8.7). */
function isRefusedStream(error: Error): boolean {
  return "code" in error && error.code === "ERR_HTTP2_STREAM_ERROR" && error.message.includes("NGHTTP2_REFUSED_STREAM");
}

/** A stream is gone once it was read. */
export function isWhole(body: UpstreamRequest["body"]): boolean {
  return body === null || body === undefined || typeof body === "string" || body instanceof Uint8Array;
}
