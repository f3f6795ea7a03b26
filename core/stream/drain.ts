/** Writes a reply to the caller: at once, only as fast as the caller reads, and never with a clean end it does not deserve. */

import type { ServerResponse } from "node:http";

import type { ReplySummary, ReplyWatch } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { ClientGone } from "../body/collect.ts";
import type { Reply } from "../exchange.ts";
import { ByteQueue, type Finish, type Take } from "../upstream/byte-queue.ts";
import { type BeforeEnd, LastWord } from "./last-word.ts";

export interface DrainOptions {
  /** Undefined for a reply whose protocol is not looked at. */
  readonly watch: ReplyWatch | undefined;
  /** Written after a silence, between two complete events only. */
  readonly ping: Uint8Array;
  readonly pingAfterMs: number;
  /** When the caller last saw a sign of life, by `now`: a reply may have been held for as long as one may be silent. Default: now. */
  readonly quietSince?: number;
  /** A caller that takes nothing for so long is cut off. */
  readonly stuckAfterMs: number;
  readonly encodeStreamError: (error: ProxyError) => Uint8Array;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly beforeEnd?: BeforeEnd | undefined;
}

export interface Drained {
  readonly firstByteAt: number | undefined;
  /** Of the body, as far as it went out. */
  readonly bytes: number;
  readonly summary: ReplySummary | undefined;
  /** Why the reply could not be completed; undefined when it was. */
  readonly failure: Error | undefined;
}

/** Resolves when the response has ended, well or badly; never rejects. */
export function drain(response: ServerResponse, reply: Reply, options: DrainOptions): Promise<Drained> {
  const { body, isEventStream } = reply;
  // A stream may go on for an hour, and is not to hold what it no longer needs for so long.
  return drainBody(response, { body, isEventStream }, { ...options, headFailure: writeHead(response, reply) });
}

function writeHead(response: ServerResponse, { status, headers }: Reply): Error | undefined {
  try {
    response.writeHead(status, headers.flat());
    return undefined;
  } catch (error) {
    return toError(error);
  }
}

async function after(told: Promise<void>, complete: () => void): Promise<void> {
  await told;
  complete();
}

type ReplyBody = Pick<Reply, "body" | "isEventStream">;

function drainBody(
  response: ServerResponse,
  reply: ReplyBody,
  { headFailure, ...options }: DrainOptions & { readonly headFailure: Error | undefined },
): Promise<Drained> {
  return new Promise((resolve) => {
    const { watch, signal } = options;
    const { isEventStream } = reply;
    const last = new LastWord(options, isEventStream);
    let pinger: Pinger | undefined;
    let flush: NodeJS.Immediate | undefined;
    let firstByteAt: number | undefined;
    let bytes = 0;
    let lastChunk: Uint8Array | undefined;
    /** A reply in one piece is of use when it is whole: its last piece is kept until everything else is done. */
    let held: Uint8Array | undefined;
    const holdsLast = options.beforeEnd !== undefined && !isEventStream;

    const write = (chunk: Uint8Array): Promise<void> | undefined =>
      response.write(chunk) ? undefined : writable(response, signal, options.stuckAfterMs);
    const take: Take = (chunk) => {
      if (firstByteAt === undefined) {
        firstByteAt = options.now();
        clearImmediate(flush);
      }
      lastChunk = chunk;
      bytes += chunk.length;
      watch?.push(chunk);
      pinger?.postpone();
      if (holdsLast) {
        const before = held;
        held = chunk;
        return before === undefined ? undefined : write(before);
      }
      const told = last.mayBeOver({ firstByteAt, bytes });
      if (told === undefined) return write(chunk);
      return told.then(() => write(chunk));
    };
    const finish: Finish = (error) => {
      pinger?.stop();
      clearImmediate(flush);
      const complete = (): void => {
        if (held !== undefined && error === undefined) response.write(held);
        const { summary, failure } = end(response, reply, options, {
          last,
          lastChunk,
          failure: error === undefined ? undefined : toError(error),
        });
        resolve({ firstByteAt, bytes, summary, failure });
      };
      const told = error === undefined ? last.atEnd({ firstByteAt, bytes }) : undefined;
      if (told === undefined) complete();
      else void after(told, complete);
    };
    if (headFailure !== undefined) {
      // What stages hold for the body goes with it.
      if (!(reply.body instanceof ByteQueue))
        void reply.body[Symbol.asyncIterator]()
          .return?.()
          .catch(() => undefined);
      finish(headFailure);
      return;
    }
    if (isEventStream) {
      pinger = startPinger(response, options);
      // Headers go out as soon as they are there; together with the first bytes when both came at once.
      flush = setImmediate(() => response.flushHeaders());
    }
    forEachChunk(reply.body, take, finish);
  });
}

/** What an upstream sends takes the short way; what a stage has wrapped is iterated, which also ends it when `take` fails. */
function forEachChunk(body: AsyncIterable<Uint8Array>, take: Take, finish: Finish): void {
  if (body instanceof ByteQueue) body.forEach(take, finish);
  else iterate(body, take).then(() => finish(), finish);
}

async function iterate(body: AsyncIterable<Uint8Array>, take: Take): Promise<void> {
  for await (const chunk of body) await take(chunk);
}

interface Sent {
  readonly last: LastWord;
  readonly lastChunk: Uint8Array | undefined;
  readonly failure: Error | undefined;
}

/** Ends the response as its reply deserves. */
function end(
  response: ServerResponse,
  reply: ReplyBody,
  options: DrainOptions,
  { last, lastChunk, failure }: Sent,
): Omit<Drained, "firstByteAt" | "bytes"> {
  const { watch } = options;
  const betweenEvents = watch?.betweenEvents() ?? false;
  const summary = last.summary();
  const isOver = summary !== undefined && (summary.complete || summary.error !== undefined);
  if (failure === undefined) {
    if (isOver || summary === undefined || !reply.isEventStream) {
      response.end();
      return { summary, failure };
    }
    failure = new ProxyError("The upstream ended its stream before the answer was complete.", { status: 502, kind: "api_error" });
  }
  if (reply.body instanceof ByteQueue) void reply.body.return();
  if (isOver && reply.isEventStream && !response.destroyed) {
    // The last word was said; a connection that breaks behind it takes nothing away.
    response.end(betweenEvents ? undefined : "\n\n");
    return { summary, failure: undefined };
  }
  endBroken(response, reply, failure, { ...options, unfinished: betweenEvents ? undefined : (lastChunk?.at(-1) ?? 0) });
  return { summary, failure };
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

interface BrokenEnd {
  readonly ping: Uint8Array;
  readonly encodeStreamError: (error: ProxyError) => Uint8Array;
  /** The last byte sent, when it is not the last one of an event. */
  readonly unfinished: number | undefined;
}

const newline = 0x0a;

/** A stream gets its protocol's own error; anything else is cut off, so that nobody takes it for whole. */
function endBroken(response: ServerResponse, reply: ReplyBody, failure: Error, { ping, encodeStreamError, unfinished }: BrokenEnd): void {
  if (!reply.isEventStream || response.destroyed) {
    response.destroy();
    return;
  }
  const error =
    failure instanceof ProxyError
      ? failure
      : new ProxyError("The proxy could not complete this answer.", { status: 502, kind: "api_error" });
  // The later of two names counts, and nobody reads a ping: as one of these half an event does no harm,
  // and the error that follows is whole.
  if (unfinished !== undefined) {
    if (unfinished !== newline) response.write("\n");
    response.write(ping);
  }
  response.end(encodeStreamError(error));
}

/** Waits until the caller has taken what was written. */
function writable(response: ServerResponse, signal: AbortSignal, stuckAfterMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stuck = setTimeout(() => {
      response.destroy();
      finish(new ClientGone(`the client took nothing for ${stuckAfterMs / 1000} s`));
    }, stuckAfterMs);
    const onDrain = (): void => finish();
    const onClose = (): void => finish(new ClientGone("the client closed the connection"));
    const onAbort = (): void => finish(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    function finish(error?: Error): void {
      clearTimeout(stuck);
      response.off("drain", onDrain).off("close", onClose);
      signal.removeEventListener("abort", onAbort);
      if (error === undefined) resolve();
      else reject(error);
    }
    response.once("drain", onDrain).once("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else if (response.destroyed) onClose();
  });
}

interface Pinger {
  /** Bytes went out: the silence begins anew. */
  postpone(): void;
  stop(): void;
}

function startPinger(response: ServerResponse, { watch, ping, pingAfterMs, quietSince, now }: DrainOptions): Pinger {
  const wasQuietMs = quietSince === undefined ? 0 : now() - quietSince;
  let isFirst = wasQuietMs > 0;
  let timer = setTimeout(beep, Math.max(0, pingAfterMs - wasQuietMs));
  function beep(): void {
    if (watch?.betweenEvents() === true && !response.writableNeedDrain) response.write(ping);
    postpone();
  }
  function postpone(): void {
    if (!isFirst) {
      timer.refresh();
      return;
    }
    isFirst = false;
    clearTimeout(timer);
    timer = setTimeout(beep, pingAfterMs);
  }
  return { postpone, stop: () => clearTimeout(timer) };
}
