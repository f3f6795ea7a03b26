/** Says which limit or which connection failed; the caller sees this text. */

import { errors } from "undici";

import { ConnectionError, type ConnectionFault } from "./connection-error.ts";
import type { SendTimeouts } from "./send.ts";

/** Of a response. */
export const maxHeaderBytes: number = 64 * 1024;

export interface FailedRequest {
  /** e.g. `https://api.anthropic.com` */
  readonly origin: string;
  readonly timeouts: SendTimeouts;
  /** How far it had come: no connection yet, waiting for the response, or within it. */
  readonly phase: "connecting" | "waiting" | "responding";
}

export function describeFailure(error: Error, { origin, timeouts, phase }: FailedRequest): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof errors.HeadersTimeoutError) {
    return failed("first-byte-timeout", `${origin} did not begin to answer within ${seconds(timeouts.headersMs)}`, error);
  }
  if (error instanceof errors.BodyTimeoutError) {
    return failed("idle-timeout", `${origin} sent nothing for ${seconds(timeouts.idleMs)} in the middle of its answer`, error);
  }
  if (error instanceof errors.ConnectTimeoutError) {
    return failed("connect-timeout", `${origin} could not be reached within ${seconds(timeouts.connectMs)}`, error);
  }
  const { text: reason } = failureReason(error);
  if (phase === "responding") return failed("closed-in-response", `${origin} broke off in the middle of its answer (${reason})`, error);
  if (error instanceof errors.HeadersOverflowError) {
    return failed("closed-in-response", `${origin} sent more than ${maxHeaderBytes / 1024} KB of headers`, error);
  }
  if (error instanceof errors.HTTPParserError || error instanceof errors.ResponseContentLengthMismatchError) {
    return failed("closed-in-response", `what ${origin} sent is no answer that could be read (${reason})`, error);
  }
  return failed(phase === "waiting" ? "closed-before-response" : "unreachable", `${origin} could not be reached (${reason})`, error);
}

export function silent({ origin }: { readonly origin: string }, limitMs: number): ConnectionError {
  return failed("silence-timeout", `${origin} sent nothing but pings for ${seconds(limitMs)} in the middle of its answer`);
}

export function tookTooLong({ origin }: { readonly origin: string }, limitMs: number): ConnectionError {
  return failed("total-timeout", `${origin} took longer than ${seconds(limitMs)}`);
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

export interface Reason {
  readonly code: string | undefined;
  /** The code in it. */
  readonly text: string;
}

/** Connecting to several addresses fails with an AggregateError that has no message of its own. */
export function failureReason(error: Error): Reason {
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = "code" in inner && typeof inner.code === "string" ? inner.code : undefined;
  return { code, text: code === undefined || inner.message.includes(code) ? inner.message : `${code}: ${inner.message}` };
}

const timeouts: ReadonlySet<ConnectionFault> = new Set<ConnectionFault>([
  "connect-timeout",
  "first-byte-timeout",
  "idle-timeout",
  "silence-timeout",
  "total-timeout",
]);

export function failed(fault: ConnectionFault, message: string, cause?: unknown): ConnectionError {
  return new ConnectionError(message, { status: timeouts.has(fault) ? 504 : 502, kind: "api_error", fault, cause });
}
