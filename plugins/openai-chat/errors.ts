/** Errors of this wire, both ways: what a host refused in the hub's kinds, and the proxy's own in OpenAI's envelope. */

import type { LocalReply } from "../../sdk/dialect.ts";
import type { ErrorKind, ProxyError } from "../../sdk/errors.ts";
import { errorReply, placeOf } from "../../sdk/hub/error-reply.ts";
import { parseErrorBody, readOverflow } from "../../sdk/hub/upstream-errors.ts";
import type { DecodedError, Target, UpstreamFailure } from "../../sdk/wire.ts";
import { readError, toProxyError, type SaidError } from "./read-error.ts";
import { dataEvent, type WireError } from "./wire.ts";

export function decodeError({ status, headers, body }: UpstreamFailure, target: Target): DecodedError {
  const object = parseErrorBody(body);
  const said =
    object === undefined ? plainError(Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8"), status) : readError(object);
  const error = toProxyError(said, { status, headers }, target);
  return refusesThinking(said.message, status) ? { error, retry: "without-thinking" } : { error };
}

const titlePattern = /<title>([^<]{1,200})<\/title>/i;

/** A text, or the page of some proxy on the way, of which the title says all. */
function plainError(body: string, status: number): SaidError {
  const words = body.trim();
  const isPage = words.startsWith("<");
  const message = isPage
    ? `HTTP status ${status}: ${titlePattern.exec(words.slice(0, 4000))?.[1]?.trim() ?? "a page that is no JSON"}`
    : words;
  return { message, words: [], status: undefined, overflow: isPage ? undefined : readOverflow(words) };
}

const thinkingWords: readonly RegExp[] = [
  // What was sealed elsewhere, or by another key: OpenAI and Claude behind OpenRouter, Gemini behind its OpenAI endpoint.
  /invalid_encrypted_content|encrypted content[^]{0,80}could not be (?:verified|decrypted)/i,
  /invalid [`'"]?signature[`'"]? in [`'"]?thinking/i,
  /(?:invalid|corrupted) thought.signature/i,
  // A field that this host, or this model of it, does not take.
  /reasoning(?:_content|_details)?[^]{0,60}(?:not permitted|unexpected|unrecogni[sz]ed|not supported|unknown field)/i,
  /(?:not permitted|unexpected|unrecogni[sz]ed|unsupported|unknown field)[^]{0,60}messages[^]{0,40}reasoning/i,
];

/**
 * Whether the same request without what was thought before may do. "The reasoning_content in the thinking mode must be
 * passed back" is not among them: with less of it the answer would be the same.
 */
function refusesThinking(message: string, status: number): boolean {
  return (status === 400 || status === 422) && thinkingWords.some((pattern) => pattern.test(message.slice(0, 4000)));
}

/** @param requestId also sent as `x-request-id`, where OpenAI's clients look for it */
export function encodeError(error: ProxyError, requestId: string): LocalReply {
  const reply = errorReply(error, { requestId, idHeader: "x-request-id", body: wireError(error) });
  // Not known to clients of this wire.
  return reply.status === 529 ? { ...reply, status: 503 } : reply;
}

/** OpenAI's clients throw at a `data` event with an `error` and read no further. */
export function streamErrorText(error: ProxyError): string {
  return dataEvent(wireError(error));
}

export function encodeStreamError(error: ProxyError): Uint8Array {
  return Buffer.from(streamErrorText(error));
}

function wireError(error: ProxyError): WireError {
  const overflow = error.kind === "invalid_request_error" ? readOverflow(error.message) : undefined;
  if (overflow !== undefined) {
    const { tokens, maximum } = overflow;
    // In the words upon which clients of this wire make the conversation shorter.
    const message =
      maximum === undefined
        ? error.message
        : `This model's maximum context length is ${maximum} tokens. However, your messages resulted in ${tokens ?? maximum + 1} tokens. Please reduce the length of the messages.`;
    return { error: { message, type: "invalid_request_error", param: "messages", code: "context_length_exceeded" } };
  }
  const { type, code } = error.type === undefined ? wireTypes[error.kind] : { type: error.type, code: String(error.status) };
  return { error: { message: error.message, type, param: placeOf(error), code } };
}

interface WireType {
  readonly type: string;
  readonly code: string | null;
}

/** Types and codes: https://platform.openai.com/docs/guides/error-codes */
const wireTypes: Readonly<Record<ErrorKind, WireType>> = {
  invalid_request_error: { type: "invalid_request_error", code: null },
  authentication_error: { type: "invalid_request_error", code: "invalid_api_key" },
  permission_error: { type: "invalid_request_error", code: "permission_denied" },
  not_found_error: { type: "invalid_request_error", code: "model_not_found" },
  request_too_large: { type: "invalid_request_error", code: "request_too_large" },
  rate_limit_error: { type: "requests", code: "rate_limit_exceeded" },
  billing_error: { type: "insufficient_quota", code: "insufficient_quota" },
  not_supported: { type: "invalid_request_error", code: "unsupported_operation" },
  overloaded_error: { type: "server_error", code: "server_is_overloaded" },
  timeout_error: { type: "server_error", code: "timeout" },
  api_error: { type: "server_error", code: null },
};
