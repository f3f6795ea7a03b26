/** Errors of this protocol, both ways. Our own in Anthropic's envelope, so that clients show and handle them as they do the API's. */

import type { LocalReply } from "../../sdk/dialect.ts";
import type { ErrorKind, ProxyError } from "../../sdk/errors.ts";
import { errorReply } from "../../sdk/hub/error-reply.ts";
import { foreignError } from "../../sdk/hub/foreign-errors.ts";
import type { DecodedError, Target, UpstreamFailure } from "../../sdk/wire.ts";
import { type WireError, encodeEvent } from "./wire.ts";

/** @param requestId also sent as the `request-id` header, where the client looks for it */
export function encodeError(error: ProxyError, requestId: string): LocalReply {
  const body: WireError = { type: "error", error: { type: wireType(error.kind), message: error.message }, request_id: requestId };
  return errorReply(error, { requestId, idHeader: "request-id", body });
}

export function encodeStreamError(error: ProxyError): Uint8Array {
  const body: WireError = { type: "error", error: { type: wireType(error.kind), message: error.message } };
  return encodeEvent("error", body);
}

function wireType(kind: ErrorKind): string {
  return kind;
}

/** An error of a host of this protocol, for a caller that speaks another, or in an envelope that is not the protocol's. */
export function decodeError(failure: UpstreamFailure, target: Target): DecodedError {
  return { error: foreignError(failure, target) };
}
