/**
 * Errors of Bedrock in the hub's kinds. Its own envelope is `{"message"}` with the type in `x-amzn-ErrorType`.
 * Documented at docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes and in each operation's
 * Errors, e.g. docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse; docs.aws.amazon.com/bedrock/latest/
 * APIReference/CommonErrors.
 */

import type { ErrorKind } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { overflowError, parseErrorBody, readOverflow, scrub, upstreamError } from "../../sdk/hub/upstream-errors.ts";
import type { DecodedError, Target, UpstreamFailure } from "../../sdk/wire.ts";

interface Exception {
  readonly status: number;
  readonly kind: ErrorKind;
}

/** By name without its ending; those of streams begin with a small letter. */
const exceptions: ReadonlyMap<string, Exception> = new Map<string, Exception>([
  ["accessdenied", { status: 403, kind: "permission_error" }],
  ["conflict", { status: 400, kind: "invalid_request_error" }],
  ["expiredtoken", { status: 401, kind: "authentication_error" }],
  ["incompletesignature", { status: 401, kind: "authentication_error" }],
  ["internalserver", { status: 500, kind: "api_error" }],
  ["invalidsignature", { status: 401, kind: "authentication_error" }],
  ["missingauthenticationtoken", { status: 401, kind: "authentication_error" }],
  ["modelerror", { status: 424, kind: "api_error" }],
  ["modelnotready", { status: 429, kind: "rate_limit_error" }],
  ["modelstreamerror", { status: 424, kind: "api_error" }],
  ["modeltimeout", { status: 408, kind: "timeout_error" }],
  ["resourcenotfound", { status: 404, kind: "not_found_error" }],
  ["servicequotaexceeded", { status: 429, kind: "rate_limit_error" }],
  ["serviceunavailable", { status: 503, kind: "overloaded_error" }],
  ["throttling", { status: 429, kind: "rate_limit_error" }],
  ["toomanyrequests", { status: 429, kind: "rate_limit_error" }],
  ["unknownoperation", { status: 404, kind: "not_found_error" }],
  ["unrecognizedclient", { status: 401, kind: "authentication_error" }],
  ["validation", { status: 400, kind: "invalid_request_error" }],
]);

/** E.g. `ThrottlingException:http://internal.amazon.com/…`, `com.amazon.coral.service#UnknownOperationException`, `throttlingException`. */
function exceptionOf(type: string): Exception | undefined {
  const [name = ""] = (type.split("#").at(-1) ?? "").split(":");
  return exceptions.get(
    name
      .trim()
      .replace(/Exception$/, "")
      .toLowerCase(),
  );
}

/** Of an exception in the middle of a stream, for the `error` event of the Messages API. */
export function describeException(type: string, message: string): { readonly kind: ErrorKind; readonly words: string } {
  const kind = exceptionOf(type)?.kind ?? "api_error";
  const words = withoutAccounts(unwrapped(message).slice(0, longestMessage)).trim();
  return { kind, words: words === "" ? `The upstream ended the reply with ${type === "" ? "an error" : withoutAccounts(type)}.` : words };
}

const longestMessage = 4000;

/** What the model itself answered stands behind this. */
function unwrapped(message: string): string {
  return message.replace(/^The model returned the following errors: /, "");
}

/** Numbers of accounts have twelve digits, wherever they stand in a sentence. */
function withoutAccounts(message: string): string {
  return scrub(message).replaceAll(/(?<![\w.-])\d{12}(?!\w|[.-]\d)/g, "[account]");
}

export function decodeError(failure: UpstreamFailure, target: Target): DecodedError {
  const body = parseErrorBody(failure.body);
  const message = unwrapped(messageOf(body) ?? Buffer.from(failure.body).toString("utf8"));
  const type = typeOf(failure, body);
  const known = exceptionOf(type);
  const overflow = readOverflow(message);
  if (overflow !== undefined && failure.status < 500) return { error: overflowError(overflow, target) };
  const error = upstreamError({
    // Some say 403 where it is the credential that is wrong, and some answer 200.
    status: known?.status ?? (failure.status < 400 ? 502 : failure.status),
    message: withoutAccounts(message === "" ? type : message),
    headers: failure.headers,
    ...(known === undefined ? {} : { kind: known.kind }),
  });
  return isAboutThinking(message) ? { error, retry: "without-thinking" } : { error };
}

/** Signatures of thinking that the model does not take back. */
function isAboutThinking(message: string): boolean {
  return /invalid [`'"]?signature[`'"]?|reasoning.{0,40}signature|signature.{0,40}(?:thinking|reasoning)/i.test(
    message.slice(0, longestMessage),
  );
}

function messageOf(body: JsonObject | undefined): string | undefined {
  const output = record(body?.["Output"]);
  return text(record(body?.["error"])?.["message"]) ?? text(body?.["message"]) ?? text(body?.["Message"]) ?? text(output?.["message"]);
}

function typeOf({ headers }: UpstreamFailure, body: JsonObject | undefined): string {
  const header = headers.find(([name]) => name === "x-amzn-errortype")?.[1];
  return header ?? text(body?.["__type"]) ?? text(record(body?.["Output"])?.["__type"]) ?? text(record(body?.["error"])?.["type"]) ?? "";
}

/**
 * An answer on the Messages wire that its readers would not understand, or that names an account: Bedrock's front door
 * answers in its own envelope whatever the operation. Undefined for errors that may pass as they came.
 */
export function rewrapError(failure: UpstreamFailure, target: Target): DecodedError | undefined {
  const body = parseErrorBody(failure.body);
  const message = text(record(body?.["error"])?.["message"]);
  const isMessages = body?.["type"] === "error" && message !== undefined;
  const isOverflow = message !== undefined && readOverflow(message) !== undefined && !message.startsWith("prompt is too long: ");
  return isMessages && !isOverflow && withoutAccounts(message) === message ? undefined : decodeError(failure, target);
}
