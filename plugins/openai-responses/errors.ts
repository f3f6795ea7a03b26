/**
 * Errors of this wire, both ways: as the answer, and inside a stream. Codes from
 * https://developers.openai.com/api/docs/guides/error-codes and the type `ResponseError` of the package `openai`.
 */

import type { LocalReply } from "../../sdk/dialect.ts";
import { type ErrorKind, ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { errorReply, placeOf } from "../../sdk/hub/error-reply.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import { overflowError, parseErrorBody, readOverflow, scrub, upstreamError } from "../../sdk/hub/upstream-errors.ts";
import type { DecodedError, Target, UpstreamFailure } from "../../sdk/wire.ts";
import { type WireError, eventText } from "./wire.ts";

interface Said {
  readonly message: string;
  readonly code: string;
}

const kinds: ReadonlyMap<string, ErrorKind> = new Map<string, ErrorKind>([
  ["insufficient_quota", "billing_error"],
  ["billing_hard_limit_reached", "billing_error"],
  ["billing_not_active", "billing_error"],
  ["rate_limit_exceeded", "rate_limit_error"],
  ["rate_limit_error", "rate_limit_error"],
  ["server_is_overloaded", "overloaded_error"],
  ["slow_down", "overloaded_error"],
  ["overloaded", "overloaded_error"],
  ["overloaded_error", "overloaded_error"],
  ["server_error", "api_error"],
  ["invalid_api_key", "authentication_error"],
  ["model_not_found", "not_found_error"],
  ["invalid_prompt", "invalid_request_error"],
  ["invalid_request_error", "invalid_request_error"],
  ["invalid_encrypted_content", "invalid_request_error"],
  ["content_filter", "invalid_request_error"],
]);

const statuses: ReadonlyMap<ErrorKind, number> = new Map<ErrorKind, number>([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 429],
  ["not_found_error", 404],
  ["rate_limit_error", 429],
  ["overloaded_error", 529],
]);

/**
 * Sentences in which a host refuses reasoning that it gave itself: another organisation or family of models, or an
 * item that got lost between reasoning and what it led to.
 */
const refusedReasoning =
  /without its required (?:following item|'reasoning' item)|encrypted content .{0,400}could not be (?:verified|decrypted)|Item with id 'rs_/is;

export function decodeError({ status, headers, body }: UpstreamFailure, target: Target): DecodedError {
  const envelope = parseErrorBody(body);
  const plain = Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8").trim();
  const { message, code } = envelope === undefined ? { message: plain, code: "" } : said(envelope);
  const overflow = overflowOf(message, code);
  if (overflow !== undefined) return { error: overflowError(overflow, target) };
  const kind = kinds.get(code);
  // Waiting does not fill an account, and no other request brings it to an end.
  const isSpent = kind === "billing_error" && !headers.some(([name]) => name === "x-should-retry");
  const error = upstreamError({
    status,
    message,
    headers: isSpent ? [...headers, ["x-should-retry", "false"]] : headers,
    // What a status says is surer than a code, but for those that share one.
    ...(kind !== undefined && !(kind === "api_error" && status === 529) && (status === 400 || status === 429 || status >= 500)
      ? { kind }
      : {}),
  });
  const isRefused =
    status >= 400 && status < 500 && (code === "invalid_encrypted_content" || refusedReasoning.test(message.slice(0, 4000)));
  return isRefused ? { error, retry: "without-thinking" } : { error };
}

/** The same without a target, in the words of the hub where it has some. */
export function readStreamError(value: JsonObject): { readonly error: ErrorKind; readonly message: string } {
  const { message, code } = said(value);
  const words = scrub(message.slice(0, 4000)).trim();
  if (readOverflow(message) !== undefined) return { error: "invalid_request_error", message: words };
  if (code === overflowCode) return { error: "invalid_request_error", message: `prompt is too long: ${words}` };
  return { error: kinds.get(code) ?? "api_error", message: words };
}

/** An error inside a reply that began well. @param value `error` of a response, or an event, in any of its layouts */
export function streamError(value: JsonObject, target: Target): ProxyError {
  const { message, code } = said(value);
  const overflow = overflowOf(message, code);
  if (overflow !== undefined) return overflowError(overflow, target);
  const kind = kinds.get(code) ?? "api_error";
  const words = scrub(message.slice(0, 4000)).trim();
  return new ProxyError(words === "" ? "The upstream ended its answer in an error." : words, { status: statuses.get(kind) ?? 502, kind });
}

function overflowOf(message: string, code: string): ReturnType<typeof readOverflow> {
  return readOverflow(message) ?? (code === overflowCode ? {} : undefined);
}

/** `{error: {…}}`, `{error: "…"}`, `{code, message}`, `{detail: "…"}`. */
function said(envelope: JsonRecord): Said {
  const error = record(envelope["error"]) ?? envelope;
  const message = text(error["message"]) ?? text(envelope["error"]) ?? text(envelope["detail"]) ?? "";
  const code = text(error["code"]);
  const type = text(error["type"]);
  return { message, code: code ?? (type === undefined || type === "error" ? "" : type) };
}

/** Type and code that the vendor's own clients know. */
interface Spoken {
  readonly type: string;
  readonly code: string | null;
}

const spoken: Readonly<Record<ErrorKind, Spoken>> = {
  invalid_request_error: { type: "invalid_request_error", code: null },
  authentication_error: { type: "invalid_request_error", code: "invalid_api_key" },
  permission_error: { type: "invalid_request_error", code: "permission_denied" },
  not_found_error: { type: "invalid_request_error", code: "model_not_found" },
  request_too_large: { type: "invalid_request_error", code: "request_too_large" },
  rate_limit_error: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  billing_error: { type: "insufficient_quota", code: "insufficient_quota" },
  not_supported: { type: "invalid_request_error", code: "not_supported" },
  overloaded_error: { type: "server_error", code: "server_is_overloaded" },
  timeout_error: { type: "server_error", code: "timeout" },
  api_error: { type: "server_error", code: "server_error" },
};

function speak(error: ProxyError): WireError["error"] {
  const { kind, message } = error;
  const { type, code } = error.type === undefined ? spoken[kind] : { type: error.type, code: String(error.status) };
  const overflow = overflowWords(kind, message);
  if (overflow !== undefined) return { message: overflow, type, param: "input", code: overflowCode };
  return { message, type, param: placeOf(error), code };
}

const overflowCode = "context_length_exceeded";

/** In the words upon which clients of this wire make the conversation shorter. */
function overflowWords(kind: ErrorKind, message: string): string | undefined {
  const overflow = kind === "invalid_request_error" ? readOverflow(message) : undefined;
  if (overflow === undefined) return undefined;
  const { tokens, maximum } = overflow;
  const figures = tokens === undefined || maximum === undefined ? "" : ` (${tokens} tokens > ${maximum} maximum)`;
  return `Your input exceeds the context window of this model${figures}. Please adjust your input and try again.`;
}

export function encodeError(error: ProxyError, requestId: string): LocalReply {
  const body: WireError = { error: speak(error) };
  const reply = errorReply(error, { requestId, idHeader: "x-request-id", body });
  // Not known to clients of this wire.
  return reply.status === 529 ? { ...reply, status: 503 } : reply;
}

/** Nested, so that the vendor's clients throw: what came before is not known here, and no response can be told as failed. */
export function encodeStreamError(error: ProxyError): Uint8Array {
  return Buffer.from(eventText("error", { type: "error", error: speak(error) }));
}

/** `error` of a response that failed. */
export function responseError({ type, message }: { readonly type: string; readonly message: string }): {
  readonly code: string;
  readonly message: string;
} {
  const kind = isKind(type) ? type : "api_error";
  const overflow = overflowWords(kind, message);
  if (overflow !== undefined) return { code: overflowCode, message: overflow };
  return { code: spoken[kind].code ?? "invalid_prompt", message };
}

function isKind(type: string): type is ErrorKind {
  return Object.hasOwn(spoken, type);
}
