/** One HTTP request to one upstream: sends the bytes, answers with status, headers and a flow-controlled body. */

import type { Dispatcher } from "undici";

import type { HeaderList } from "../../sdk/dialect.ts";
import type { Timeouts } from "../config/types.ts";
import { ByteQueue } from "./byte-queue.ts";
import { describeFailure, silent, tookTooLong } from "./describe-failure.ts";
import { headerValue, readResponseHeaders } from "./headers.ts";
import { type Watch, silenceWatch } from "./silence.ts";

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
  /** Whether a chunk of an event stream holds nothing but pings; absent: none does. Asked only where silence is limited. */
  readonly isKeepAlive?: ((chunk: Uint8Array) => boolean) | undefined;
}

export interface UpstreamResponse {
  readonly status: number;
  /** End-to-end headers only, names in lower case. */
  readonly headers: HeaderList;
  readonly body: ByteQueue;
}

/** Node's timers fire at once beyond it. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * @throws ConnectionError 502/504 when no response came; the signal's reason when it was aborted before one came.
 * A failure after the response headers surfaces from the body instead.
 */
export function send(dispatcher: Dispatcher, request: UpstreamRequest): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const { signal, timeouts } = request;
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let body: ByteQueue | undefined;
    let watch: Watch | undefined;
    const abort = (reason: Error): void => {
      if (controller !== undefined) controller.abort(reason);
      // Still connecting; once connected, it is aborted in onRequestStart.
      else reject(reason);
    };
    let expired: Error | undefined;
    const expire = (reason: Error): void => abort((expired = reason));
    const onAbort = (): void => abort(abortReason(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    const { totalMs, silenceMs } = timeouts;
    const timer =
      totalMs === undefined || totalMs === Infinity ? undefined : setTimeout(() => expire(tookTooLong(request, totalMs)), totalMs);
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      watch?.stop();
    };

    dispatcher.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers.flat(),
        body: request.body ?? null,
        headersTimeout: timeouts.headersMs,
        bodyTimeout: timeouts.idleMs,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (signal.aborted) started.abort(abortReason(signal));
          else if (expired !== undefined) started.abort(expired);
        },
        onResponseStart(started, status) {
          if (status < 200) return;
          body = new ByteQueue(started);
          const headers = readResponseHeaders(rawHeaders(started));
          if (silenceMs !== undefined && isEventStream(headers)) {
            watch = silenceWatch.add({
              limitMs: silenceMs,
              isPaused: () => started.paused,
              expire: () => expire(silent(request, silenceMs)),
            });
          }
          resolve({ status, headers, body });
        },
        onResponseData(_, chunk) {
          if (watch !== undefined && !watch.heard && request.isKeepAlive?.(chunk) !== true) watch.hear();
          body?.push(chunk);
        },
        onResponseEnd() {
          settle();
          body?.end();
        },
        onResponseError(_, error) {
          settle();
          const phase = body !== undefined ? "responding" : controller !== undefined ? "waiting" : "connecting";
          const failure = signal.aborted ? abortReason(signal) : (expired ?? describeFailure(error, { ...request, phase }));
          if (body === undefined) reject(failure);
          else body.fail(failure);
        },
      },
    );
  });
}

function isEventStream(headers: HeaderList): boolean {
  return headerValue(headers, "content-type")?.toLowerCase().startsWith("text/event-stream") === true;
}

function rawHeaders(controller: Dispatcher.DispatchController): readonly (Buffer | string)[] {
  return Array.isArray(controller.rawHeaders) ? controller.rawHeaders : [];
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("aborted");
}
