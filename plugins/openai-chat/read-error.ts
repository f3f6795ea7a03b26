/**
 * What an error of this wire says, in the many layouts in which hosts say it, with a status or inside an answer that
 * began as a success. Layouts seen: OpenAI `{error:{message,type,param,code}}`, a text in `error`, FastAPI `{detail}`,
 * vLLM `{object:"error",message,code}`, Mistral (lists in `message` and `detail`), OpenRouter `{error:{code,message,metadata}}`.
 */

import type { Json } from "../../sdk/body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError, type ErrorKind } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { kindOf, overflowError, readOverflow, upstreamError } from "../../sdk/hub/upstream-errors.ts";
import type { Target } from "../../sdk/wire.ts";

/** What a host said, without regard to how. */
export interface SaidError {
  readonly message: string;
  /** Its `code` and `type`, as far as they are words; the one that says more first. */
  readonly words: readonly string[];
  /** Its `code`, where that is a status. */
  readonly status: number | undefined;
  readonly overflow: { readonly tokens?: number; readonly maximum?: number } | undefined;
}

/** Undefined for an object that holds no error. */
export function findError(object: JsonObject): SaidError | undefined {
  const { error } = object;
  if (error !== undefined && error !== null && error !== false) {
    const inner = record(error);
    return inner === undefined ? said({ message: error }) : said(inner);
  }
  const isError = text(object["object"])?.toLowerCase() === "error" || text(object["type"]) === "error";
  return isError ? said(object) : undefined;
}

/** Of a body that is an error by its status. */
export function readError(object: JsonObject): SaidError {
  return findError(object) ?? said(object);
}

function said(error: JsonObject): SaidError {
  const raw = rawError(error);
  const own = messageOf(error);
  // OpenRouter's own words say nothing; those of the host behind it stand in the metadata.
  const message = raw === undefined ? own : `${own === "" ? "" : `${own}: `}${raw}`;
  const code = error["code"];
  const words = [code, error["type"], error["status"]].flatMap((word) => text(word)?.toLowerCase() ?? []);
  return {
    message,
    words,
    status: typeof code === "number" && code >= 400 && code < 600 ? code : undefined,
    overflow: overflowOf(error, message, words),
  };
}

function messageOf(error: JsonObject): string {
  for (const name of ["message", "detail", "msg", "error_msg", "error_message", "title", "error", "errors"]) {
    const message = wordsOf(error[name]);
    if (message !== "") return message;
  }
  return text(error["code"]) ?? text(error["type"]) ?? "";
}

/** A text, an object that holds one, or a list of such; where a list says which field is meant, that goes first. */
function wordsOf(value: Json | undefined): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value))
    return value
      .slice(0, 5)
      .map(wordsOf)
      .filter((words) => words !== "")
      .join("; ");
  const object = record(value);
  if (object === undefined) return "";
  const place = Array.isArray(object["loc"]) ? `${object["loc"].map(String).join(".")}: ` : "";
  const words = wordsOf(object["msg"] ?? object["message"] ?? object["detail"]);
  return words === "" ? "" : place + words;
}

function rawError(error: JsonObject): string | undefined {
  const raw = text(record(error["metadata"])?.["raw"]);
  if (raw === undefined || raw === "") return undefined;
  try {
    const value: Json = JSON.parse(raw);
    const object = record(value);
    return object === undefined ? raw : readError(object).message;
  } catch {
    return raw;
  }
}

function overflowOf(error: JsonObject, message: string, words: readonly string[]): SaidError["overflow"] {
  const found = readOverflow(message);
  if (found?.tokens !== undefined) return found;
  if (!words.some((word) => overflowWords.has(word))) return found;
  // llama.cpp counts for us.
  const [tokens, maximum] = [error["n_prompt_tokens"], error["n_ctx"]];
  return {
    ...found,
    ...(typeof tokens === "number" ? { tokens } : {}),
    ...(typeof maximum === "number" ? { maximum } : {}),
  };
}

const overflowWords = new Set(["context_length_exceeded", "exceed_context_size_error"]);

interface Answer {
  /** Undefined where the error came inside a success. */
  readonly status: number | undefined;
  readonly headers: HeaderList;
}

export function toProxyError(said: SaidError, answer: Answer, target: Target): ProxyError {
  if (said.overflow !== undefined && answer.status !== 429) return overflowError(said.overflow, target);
  return unlessOverflow(said, answer);
}

/** Of an error that has nothing to do with the length of the request. */
export function unlessOverflow({ message, words, status: code }: SaidError, answer: Answer): ProxyError {
  const named = words.flatMap((word) => kinds.get(word) ?? []);
  // Money does not come back by waiting, whatever the status says.
  const isMoney = named.includes("billing_error");
  // Inside a success the code is all that is known of the status.
  const status = answer.status ?? code ?? statusOf(named[0]);
  const isVague = status === 400 || status === 500 || status === 502;
  const kind = isMoney ? "billing_error" : isVague ? (named[0] ?? kindOf(status)) : kindOf(status);
  const error = upstreamError({ status, message, headers: answer.headers, kind });
  if (!isMoney) return error;
  const headers = { ...error.headers, "x-should-retry": "false" };
  return new ProxyError(error.message, { status, kind, headers });
}

function statusOf(kind: ErrorKind | undefined): number {
  return kind === undefined ? 502 : (statuses.get(kind) ?? 502);
}

const statuses: ReadonlyMap<ErrorKind, number> = new Map<ErrorKind, number>([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["rate_limit_error", 429],
  ["overloaded_error", 503],
  ["timeout_error", 504],
]);

/** By `type` or `code`, lower case. */
const kinds: ReadonlyMap<string, ErrorKind> = new Map<string, ErrorKind>([
  ["insufficient_quota", "billing_error"],
  ["insufficient_balance", "billing_error"],
  ["billing_hard_limit_reached", "billing_error"],
  ["billing_not_active", "billing_error"],
  ["exceeded_current_quota_error", "billing_error"],
  ["invalid_api_key", "authentication_error"],
  ["authentication_error", "authentication_error"],
  ["invalid_authentication_error", "authentication_error"],
  ["incorrect_api_key_error", "authentication_error"],
  ["permission_error", "permission_error"],
  ["permission_denied_error", "permission_error"],
  ["model_not_found", "not_found_error"],
  ["resource_not_found_error", "not_found_error"],
  ["rate_limit_exceeded", "rate_limit_error"],
  ["rate_limit_error", "rate_limit_error"],
  ["rate_limit_reached_error", "rate_limit_error"],
  ["too_many_requests", "rate_limit_error"],
  ["overloaded_error", "overloaded_error"],
  ["engine_overloaded", "overloaded_error"],
  ["engine_overloaded_error", "overloaded_error"],
  ["server_is_overloaded", "overloaded_error"],
  ["service_unavailable", "overloaded_error"],
  ["timeout", "timeout_error"],
  ["invalid_request_error", "invalid_request_error"],
  ["badrequesterror", "invalid_request_error"],
  ["content_filter", "invalid_request_error"],
  ["server_error", "api_error"],
  ["internal_server_error", "api_error"],
]);
