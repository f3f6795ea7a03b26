/** Errors: of a host of this protocol in the hub's kinds, and the proxy's own for a client of this protocol. */

import type { LocalReply } from "../../../sdk/dialect.ts";
import type { ProxyError } from "../../../sdk/errors.ts";
import { text } from "../../../sdk/hub/json.ts";
import { overflowError, parseErrorBody, readOverflow, upstreamError } from "../../../sdk/hub/upstream-errors.ts";
import type { DecodedError, Target, UpstreamFailure } from "../../../sdk/wire.ts";
import { jsonReply } from "./reply.ts";
import { eventOf } from "./wire.ts";

/** Kind and retry headers follow from the status; "too long" becomes the sentence upon which clients make the conversation shorter. */
export function decodeError({ status, headers, body }: UpstreamFailure, target: Target): DecodedError {
  const message = text(parseErrorBody(body)?.["sorry"]) ?? "";
  const overflow = readOverflow(message);
  return { error: overflow === undefined ? upstreamError({ status, message, headers }) : overflowError(overflow, target) };
}

export function encodeError({ status, message, headers }: ProxyError): LocalReply {
  return jsonReply(status, { sorry: message }, headers);
}

/** For a stream that has begun. */
export function encodeStreamError({ message }: ProxyError): Uint8Array {
  return Buffer.from(eventOf({ sorry: message }));
}
