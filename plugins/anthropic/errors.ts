/** Errors of this protocol, both ways. Our own in Anthropic's envelope, so that clients show and handle them as they do the API's. */

import type { LocalReply } from "../../sdk/dialect.ts";
import type { ErrorKind, ProxyError } from "../../sdk/errors.ts";
import { events } from "../../sdk/hub/events.ts";
import { overflowError, readOverflow, upstreamError } from "../../sdk/hub/upstream-errors.ts";
import type { DecodedError, Target, UpstreamFailure } from "../../sdk/wire.ts";
import { type WireError, encodeEvent } from "./wire.ts";

/** @param requestId also sent as the `request-id` header, where the client looks for it */
export function encodeError(error: ProxyError, requestId: string): LocalReply {
  const body: WireError = { type: "error", error: { type: wireType(error.kind), message: error.message }, request_id: requestId };
  const bytes = Buffer.from(JSON.stringify(body));
  return {
    status: error.status,
    headers: [
      ["content-type", "application/json"],
      ["content-length", String(bytes.length)],
      ["request-id", requestId],
      ...Object.entries(error.headers),
    ],
    chunks: [bytes],
  };
}

export function encodeStreamError(error: ProxyError): Uint8Array {
  const body: WireError = { type: "error", error: { type: wireType(error.kind), message: error.message } };
  return encodeEvent("error", body);
}

function wireType(kind: ErrorKind): string {
  return kind;
}

const kinds: ReadonlySet<string> = new Set<ErrorKind>([
  "invalid_request_error",
  "authentication_error",
  "permission_error",
  "not_found_error",
  "request_too_large",
  "rate_limit_error",
  "billing_error",
  "overloaded_error",
  "timeout_error",
  "api_error",
]);

function isKind(type: string): type is ErrorKind {
  return kinds.has(type);
}

/** An error of a host of this protocol, for a caller that speaks another. */
export function decodeError({ status, headers, body }: UpstreamFailure, target: Target): DecodedError {
  const { type, message } = events.readError(status, body);
  const overflow = readOverflow(message);
  if (overflow !== undefined) return { error: overflowError(overflow, target) };
  return { error: upstreamError({ status, message, headers, ...(isKind(type) ? { kind: type } : {}) }) };
}
