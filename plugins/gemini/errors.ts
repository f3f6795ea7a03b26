/**
 * Errors of the API in the hub's kinds, and the other way round. Envelope: https://google.aip.dev/193;
 * codes: https://ai.google.dev/gemini-api/docs/troubleshooting.
 */

import type { LocalReply } from "../../sdk/dialect.ts";
import { type ErrorKind, ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { overflowError, parseErrorBody, readOverflow, scrub, upstreamError } from "../../sdk/hub/upstream-errors.ts";
import type { DecodedError, Target, UpstreamFailure } from "../../sdk/wire.ts";
import { field, objects } from "./wire.ts";

export function decodeError(failure: UpstreamFailure, target: Target): DecodedError {
  const body = parseErrorBody(failure.body);
  const error = record(body?.["error"]);
  const words = Buffer.from(failure.body.buffer, failure.body.byteOffset, failure.body.length).toString("utf8").trim();
  const said = text(error?.["message"]) ?? text(body?.["error"]) ?? text(body?.["message"]) ?? words;
  return read({ status: failure.status, headers: failure.headers, message: said, error }, target);
}

/** Of an `error` that came in the place of a reply, or in the middle of one. */
export function decodeErrorObject(error: JsonObject, target: Target): DecodedError {
  return read(failureOf(error), target);
}

function failureOf(error: JsonObject): Failure {
  const code = error["code"];
  const status = typeof code === "number" && code >= 400 && code < 600 ? code : 500;
  return { status, headers: [], message: text(error["message"]) ?? text(error["status"]) ?? "", error };
}

interface Failure {
  readonly status: number;
  readonly headers: UpstreamFailure["headers"];
  readonly message: string;
  readonly error: JsonObject | undefined;
}

/** The same without a target. */
export function readErrorObject(error: JsonObject): { readonly error: ErrorKind; readonly message: string } {
  const failure = failureOf(error);
  if (overflowOf(failure) !== undefined) return { error: "invalid_request_error", message: scrub(failure.message) };
  const { kind, message } = plain(failure).error;
  return { error: kind, message };
}

function overflowOf({ status, message }: Failure): ReturnType<typeof readOverflow> {
  return status < 500 ? readOverflow(message) : undefined;
}

function read(failure: Failure, target: Target): DecodedError {
  const overflow = overflowOf(failure);
  return overflow === undefined ? plain(failure) : { error: overflowError(overflow, target) };
}

/** Of a failure that has nothing to do with the length of the request. */
function plain({ status, headers, message, error }: Failure): DecodedError {
  const details = objects(error?.["details"]);
  const named = text(error?.["status"]) ?? "";
  if (details.some((detail) => detail["reason"] === "API_KEY_INVALID")) {
    return { error: upstreamError({ status: 401, message, headers, kind: "authentication_error" }) };
  }
  const sent = [...headers, ...retryHeaders(headers, details)];
  // The hub's vendor has a status of its own for a host that is busy.
  const isBusy = status === 503 || named === "UNAVAILABLE";
  const decoded = upstreamError({ status: isBusy ? 529 : status, message, headers: sent, ...kindOf(named) });
  return status < 500 && refusesSignature(message) ? { error: decoded, retry: "without-thinking" } : { error: decoded };
}

function kindOf(status: string): { readonly kind?: ErrorKind } {
  const kind = kinds.get(status);
  return kind === undefined ? {} : { kind };
}

const kinds: ReadonlyMap<string, ErrorKind> = new Map<string, ErrorKind>([
  ["UNAUTHENTICATED", "authentication_error"],
  ["PERMISSION_DENIED", "permission_error"],
  ["NOT_FOUND", "not_found_error"],
  ["RESOURCE_EXHAUSTED", "rate_limit_error"],
  ["UNIMPLEMENTED", "not_supported"],
  ["UNAVAILABLE", "overloaded_error"],
  ["DEADLINE_EXCEEDED", "timeout_error"],
]);

/** `Function call is missing a thought_signature …`, `Invalid thought signature.`, `Corrupted thought signature.`, `… Thought signature is not valid`. */
function refusesSignature(message: string): boolean {
  return /thought[_ ]?signature/i.test(message) && /missing|invalid|corrupt|not valid/i.test(message);
}

function retryHeaders(headers: UpstreamFailure["headers"], details: readonly JsonObject[]): UpstreamFailure["headers"] {
  const added: (readonly [string, string])[] = [];
  const delay = details.map((detail) => seconds(text(field(detail, "retryDelay")))).find((found) => found !== undefined);
  if (delay !== undefined && !headers.some(([name]) => name === "retry-after")) added.push(["retry-after", String(delay)]);
  // Such a quota comes back at midnight, whatever the delay says.
  const isDaily = details.some((detail) =>
    objects(detail["violations"]).some((violation) => /PerDay/i.test(text(field(violation, "quotaId")) ?? "")),
  );
  if (isDaily) added.push(["x-should-retry", "false"]);
  return added;
}

/** Of `37s` or `0.5s`; whole seconds, never less than asked for. */
function seconds(delay: string | undefined): number | undefined {
  const found = /^(?<figure>\d{1,9}(?:\.\d{1,9})?)s$/.exec(delay ?? "")?.groups?.["figure"];
  return found === undefined ? undefined : Math.ceil(Number(found));
}

/** Our own errors in Google's envelope, so that its clients show and handle them as they do the API's. */
export function encodeError(error: ProxyError, requestId: string): LocalReply {
  const envelope = errorEnvelope(error);
  const bytes = Buffer.from(JSON.stringify(envelope));
  return {
    status: envelope.error.code,
    headers: [
      ["content-type", "application/json; charset=UTF-8"],
      ["content-length", String(bytes.length)],
      ["x-request-id", requestId],
      ...Object.entries(error.headers).filter(([name]) => name !== "x-request-id"),
    ],
    chunks: [bytes],
  };
}

export type ErrorEnvelope = {
  readonly error: { readonly code: number; readonly message: string; readonly status: string; readonly details?: readonly JsonObject[] };
};

export function errorEnvelope({ status, kind, message, headers }: ProxyError): ErrorEnvelope {
  const delay = Number(headers["retry-after"]);
  const details = Number.isFinite(delay) ? [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${delay}s` }] : undefined;
  return {
    error: {
      // The vendor's clients know no 529, and ask again after a 503.
      code: status === 529 ? 503 : status,
      message: ownWords(message),
      status: statuses[kind],
      ...(details === undefined ? {} : { details }),
    },
  };
}

/** Clients of this dialect look for the API's own sentence. */
function ownWords(message: string): string {
  const found = /^prompt is too long: (?<tokens>\d+) tokens > (?<maximum>\d+) maximum$/.exec(message)?.groups;
  if (found === undefined) return message;
  return `The input token count (${found["tokens"]}) exceeds the maximum number of tokens allowed (${found["maximum"]}).`;
}

const statuses: Readonly<Record<ErrorKind, string>> = {
  invalid_request_error: "INVALID_ARGUMENT",
  authentication_error: "UNAUTHENTICATED",
  permission_error: "PERMISSION_DENIED",
  not_found_error: "NOT_FOUND",
  request_too_large: "INVALID_ARGUMENT",
  rate_limit_error: "RESOURCE_EXHAUSTED",
  billing_error: "RESOURCE_EXHAUSTED",
  not_supported: "UNIMPLEMENTED",
  overloaded_error: "UNAVAILABLE",
  timeout_error: "DEADLINE_EXCEEDED",
  api_error: "INTERNAL",
};

/** The hub's error in the middle of a stream. */
export function errorOf(event: JsonObject): ProxyError {
  const error = record(event["error"]);
  const type = text(error?.["type"]) ?? "";
  const kind = isKind(type) ? type : "api_error";
  return new ProxyError(text(error?.["message"]) ?? "The reply ended in an error.", { status: statusesOfKinds[kind], kind });
}

function isKind(type: string): type is ErrorKind {
  return Object.hasOwn(statuses, type);
}

const statusesOfKinds: Readonly<Record<ErrorKind, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  not_supported: 501,
  overloaded_error: 529,
  timeout_error: 504,
};
