/**
 * Errors of hosts that speak Messages and answer what they refuse in an envelope of their own: Google's (at times in a
 * list of one), Azure's, those of gateways and of servers of one's own. Written from
 * https://cloud.google.com/apis/design/errors and
 * https://learn.microsoft.com/azure/foundry/openai/reference (Error, InnerError).
 */

import type { ErrorKind, ProxyError } from "../errors.ts";
import type { JsonObject } from "../events.ts";
import type { Target, UpstreamFailure } from "../wire.ts";
import { record, text } from "./json.ts";
import { overflowError, parseErrorBody, readOverflow, upstreamError } from "./upstream-errors.ts";

/** Whether an error came in the protocol's own envelope, which a client of it understands as it is. */
export function isMessagesError(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  // A list of one is none.
  if (bytes.toString("latin1").trimStart().startsWith("[")) return false;
  const envelope = parseErrorBody(body);
  const error = record(envelope?.["error"]);
  return envelope?.["type"] === "error" && typeof error?.["type"] === "string" && typeof error["message"] === "string";
}

/** Any envelope, in the hub's kinds and with the wording that clients act upon. */
export function foreignError({ status, headers, body }: UpstreamFailure, target: Target): ProxyError {
  const envelope = parseErrorBody(body);
  const error = record(envelope?.["error"]) ?? envelope;
  const message = messageOf(envelope, error) ?? plainText(body);
  const overflow = readOverflow(message);
  if (overflow !== undefined) return overflowError(overflow, target);
  const kind = kindOf(error);
  const delay = headers.some(([name]) => name === "retry-after") ? undefined : retryAfter(error);
  return upstreamError({
    status,
    message,
    headers: delay === undefined ? headers : [...headers, ["retry-after", delay]],
    ...(kind === undefined ? {} : { kind }),
  });
}

function messageOf(envelope: JsonObject | undefined, error: JsonObject | undefined): string | undefined {
  const said = text(error?.["message"]) ?? text(envelope?.["error"]) ?? text(envelope?.["message"]) ?? text(envelope?.["detail"]);
  return said === undefined || said === "" ? undefined : said;
}

/** A page of some proxy on the way says nothing that a client could act upon. */
function plainText(body: Uint8Array): string {
  const said = Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8").trim();
  return said.startsWith("<") || said.startsWith("{") || said.startsWith("[") ? "" : said;
}

/** Names that say more than the status: Google's, and the protocol's own where a host uses them in another envelope. */
function kindOf(error: JsonObject | undefined): ErrorKind | undefined {
  return kinds.get(text(error?.["status"]) ?? "") ?? kinds.get(text(error?.["type"]) ?? "") ?? kinds.get(text(error?.["code"]) ?? "");
}

const kinds: ReadonlyMap<string, ErrorKind> = new Map<string, ErrorKind>([
  ["INVALID_ARGUMENT", "invalid_request_error"],
  ["FAILED_PRECONDITION", "invalid_request_error"],
  ["OUT_OF_RANGE", "invalid_request_error"],
  ["UNAUTHENTICATED", "authentication_error"],
  ["PERMISSION_DENIED", "permission_error"],
  ["NOT_FOUND", "not_found_error"],
  ["RESOURCE_EXHAUSTED", "rate_limit_error"],
  ["DEADLINE_EXCEEDED", "timeout_error"],
  ["UNAVAILABLE", "overloaded_error"],
  ["INTERNAL", "api_error"],
  ["DeploymentNotFound", "not_found_error"],
  ["PermissionDenied", "permission_error"],
  ["Unauthorized", "authentication_error"],
  ["content_filter", "invalid_request_error"],
  ["insufficient_quota", "billing_error"],
  ["invalid_request_error", "invalid_request_error"],
  ["authentication_error", "authentication_error"],
  ["permission_error", "permission_error"],
  ["not_found_error", "not_found_error"],
  ["request_too_large", "request_too_large"],
  ["rate_limit_error", "rate_limit_error"],
  ["billing_error", "billing_error"],
  ["overloaded_error", "overloaded_error"],
  ["timeout_error", "timeout_error"],
  ["api_error", "api_error"],
]);

/** Google says in the body when to come back: `{"@type": "…RetryInfo", "retryDelay": "37s"}`. */
function retryAfter(error: JsonObject | undefined): string | undefined {
  const details = error?.["details"];
  if (!Array.isArray(details)) return undefined;
  for (const detail of details) {
    const [, seconds] = /^(\d{1,5}(?:\.\d{1,9})?)s$/.exec(text(record(detail)?.["retryDelay"]) ?? "") ?? [];
    if (seconds !== undefined) return String(Math.ceil(Number(seconds)));
  }
  return undefined;
}
