/** One HTTP request to one upstream: sends the bytes, answers with status, headers and a flow-controlled body. */

import { type Dispatcher, errors } from "undici";

import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { Timeouts } from "../config/types.ts";
import { ByteQueue } from "./byte-queue.ts";
import { readResponseHeaders } from "./headers.ts";

/** Of one request: what the deployment's come to for a stream, or for a whole reply. */
export interface SendTimeouts extends Pick<Timeouts, "connectMs" | "headersMs" | "idleMs"> {
  /** Between two pieces that are more than a ping; undefined: no limit. */
  readonly silenceMs?: number | undefined;
  /** Until the last byte; undefined: no limit. */
  readonly totalMs?: number | undefined;
}

export interface UpstreamRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: Dispatcher.DispatchOptions["body"];
  readonly timeouts: SendTimeouts;
  readonly signal: AbortSignal;
  /** For messages, e.g. `https://api.anthropic.com`. */
  readonly origin: string;
}

export interface UpstreamResponse {
  readonly status: number;
  /** End-to-end headers only, names in lower case. */
  readonly headers: HeaderList;
  readonly body: ByteQueue;
}

/**
 * @throws ProxyError 502/504 when no response came; the signal's reason when it was aborted before one came.
 * A failure after the response headers surfaces from the body instead.
 */
export function send(dispatcher: Dispatcher, request: UpstreamRequest): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const { signal } = request;
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let body: ByteQueue | undefined;
    const onAbort = (): void => {
      if (controller !== undefined) controller.abort(abortReason(signal));
      // Still connecting; once connected, it is aborted in onRequestStart.
      else reject(abortReason(signal));
    };
    signal.addEventListener("abort", onAbort, { once: true });

    dispatcher.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers.flat(),
        body: request.body ?? null,
        headersTimeout: request.timeouts.headersMs,
        bodyTimeout: request.timeouts.idleMs,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (signal.aborted) started.abort(abortReason(signal));
        },
        onResponseStart(started, status) {
          if (status < 200) return;
          body = new ByteQueue(started);
          resolve({ status, headers: readResponseHeaders(rawHeaders(started)), body });
        },
        onResponseData(_, chunk) {
          body?.push(chunk);
        },
        onResponseEnd() {
          signal.removeEventListener("abort", onAbort);
          body?.end();
        },
        onResponseError(_, error) {
          signal.removeEventListener("abort", onAbort);
          const failure = signal.aborted ? abortReason(signal) : describeFailure(error, request, body !== undefined);
          if (body === undefined) reject(failure);
          else body.fail(failure);
        },
      },
    );
  });
}

function rawHeaders(controller: Dispatcher.DispatchController): readonly (Buffer | string)[] {
  return Array.isArray(controller.rawHeaders) ? controller.rawHeaders : [];
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("aborted");
}

/** Says which limit or which connection failed; the caller sees this text. */
function describeFailure(error: Error, request: UpstreamRequest, responding: boolean): ProxyError {
  const { origin, timeouts } = request;
  if (error instanceof errors.HeadersTimeoutError) {
    return failed(504, `${origin} did not begin to answer within ${timeouts.headersMs / 1000} s`, error);
  }
  if (error instanceof errors.BodyTimeoutError) {
    return failed(504, `${origin} sent nothing for ${timeouts.idleMs / 1000} s in the middle of its answer`, error);
  }
  if (error instanceof errors.ConnectTimeoutError) {
    return failed(504, `${origin} could not be reached within ${timeouts.connectMs / 1000} s`, error);
  }
  const reason = failureReason(error);
  return responding
    ? failed(502, `${origin} broke off in the middle of its answer (${reason})`, error)
    : failed(502, `${origin} could not be reached (${reason})`, error);
}

/** Connecting to several addresses fails with an AggregateError that has no message of its own. */
function failureReason(error: Error): string {
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = "code" in inner && typeof inner.code === "string" ? inner.code : undefined;
  return code === undefined || inner.message.includes(code) ? inner.message : `${code}: ${inner.message}`;
}

function failed(status: number, message: string, cause: unknown): ProxyError {
  return new ProxyError(message, { status, kind: "api_error", cause });
}
