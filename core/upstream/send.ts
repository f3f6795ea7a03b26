/** One HTTP request to one upstream: sends the bytes, answers with status, headers and a flow-controlled body. */

import type { Dispatcher } from "undici";

import type { HeaderList } from "../../sdk/dialect.ts";
import type { Timeouts } from "../config/types.ts";
import { ByteQueue } from "./byte-queue.ts";
import { describeFailure, silent, tookTooLong } from "./describe-failure.ts";
import { headerValue, readResponseHeaders } from "./headers.ts";
import type { Lease, OriginPool } from "./origin-pool.ts";
import { isWhole, mayBeSentAgain } from "./send-again.ts";
import { sendable } from "./sent-body.ts";
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
  /** Whether it may be sent a second time when nobody had taken it (see send-again.ts); default: it may. */
  readonly retryStale?: boolean | undefined;
  /** Told when it is. */
  readonly onSentAgain?: (() => void) | undefined;
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
export function send(pool: OriginPool, { body: given, headers: named, ...request }: UpstreamRequest): Promise<UpstreamResponse> {
  const sent = sendable(given);
  let headers = [...named.flat(), ...sent.headers];
  const isRepeatable = isWhole(given);
  return new Promise((resolve, reject) => {
    const { signal, timeouts } = request;
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const { totalMs, silenceMs } = timeouts;
    let lease: Lease | undefined;
    let controller: Dispatcher.DispatchController | undefined;
    let body: ByteQueue | undefined;
    let watch: Watch | undefined;
    /** Why it was ended from here. */
    let ended: Error | undefined;
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      watch?.stop();
    };
    const fail = (error: Error): void => {
      settle();
      if (body === undefined) reject(error);
      else body.fail(error);
    };
    const end = (reason: Error): void => {
      ended = reason;
      if (controller !== undefined) controller.abort(reason);
      else {
        fail(reason);
        lease?.end();
      }
    };
    const onAbort = (): void => end(abortReason(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    const timer =
      totalMs === undefined ? undefined : setTimeout(() => end(tookTooLong(request, totalMs)), Math.min(totalMs, longestTimerMs));

    const start = (isFresh: boolean): void => {
      let begunAt = 0;
      let isAnswered = false;
      controller = undefined;
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart(started) {
          controller = started;
          begunAt = performance.now();
          if (ended !== undefined) started.abort(ended);
        },
        onResponseStarted() {
          isAnswered = true;
        },
        onResponseStart(started, status) {
          if (status < 200) return;
          // Not sent again, and held by nobody for as long as a stream goes on.
          sent.letGo();
          headers = [];
          body = new ByteQueue(started);
          const received = readResponseHeaders(rawHeaders(started));
          if (silenceMs !== undefined && isEventStream(received)) {
            watch = silenceWatch.add({
              limitMs: silenceMs,
              isPaused: () => started.paused,
              expire: () => end(silent(request, silenceMs)),
            });
          }
          resolve({ status, headers: received, body });
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
          const isReused = lease?.isReused === true;
          lease?.end();
          const unanswered = { error, isReused, isAnswered, isRepeatable, ms: performance.now() - begunAt };
          if (ended === undefined && !isFresh && mayBeSentAgain(request, unanswered)) {
            request.onSentAgain?.();
            start(true);
            return;
          }
          const phase = body !== undefined ? "responding" : controller !== undefined ? "waiting" : "connecting";
          fail(ended ?? describeFailure(error, { ...request, phase }));
        },
      };
      lease = pool.take({ connectMs: timeouts.connectMs, isFresh });
      lease.dispatch(
        {
          method: request.method,
          path: request.path,
          headers,
          body: sent.body,
          headersTimeout: timeouts.headersMs,
          bodyTimeout: timeouts.idleMs,
        },
        handler,
      );
    };
    start(false);
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
