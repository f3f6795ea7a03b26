/** Builders for what a scripted upstream answers: whole replies, streams with faults, errors, and raw control of the socket. */

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { createGzip, constants, gzipSync } from "node:zlib";
import {
  encodeEvent,
  messageEvents,
  messageObject,
  type ReplyBlock,
  type ReplyMessage,
  type ReplyUsage,
  type WireEvent,
} from "./events.ts";
import type { UpstreamRequest } from "./upstream.ts";

export interface Reply {
  send(response: ServerResponse, request: UpstreamRequest): void | Promise<void>;
}

export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

/** A complete answer with this text: a stream when the request asked for one, else one JSON object. Echoes the request's model. */
export function textReply(text: string, usage?: ReplyUsage, headers?: ReplyHeaders): Reply {
  return blocksReply([{ type: "text", text }], usage, headers);
}

export interface ToolCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly id?: string;
}

/** A complete answer that calls tools, with an optional text before; a stream when the request asked for one. */
export function toolUseReply(calls: ToolCall | readonly ToolCall[], text?: string, usage?: ReplyUsage): Reply {
  const blocks: ReplyBlock[] = text === undefined ? [] : [{ type: "text", text }];
  for (const [index, call] of [calls].flat().entries()) {
    // Ids must differ within a conversation, or the client takes a second call for the first.
    const id = call.id ?? `toolu_${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}${index}`;
    blocks.push({ type: "tool_use", id, name: call.name, input: call.input });
  }
  return blocksReply(blocks, usage);
}

/** A complete answer of any blocks; a stream when the request asked for one. */
export function blocksReply(blocks: readonly ReplyBlock[], usage?: ReplyUsage, headers?: ReplyHeaders): Reply {
  return {
    send(response, request) {
      const { model, stream } = wanted(request);
      const message: ReplyMessage = { blocks, model, ...(usage === undefined ? {} : { usage }) };
      const options = headers === undefined ? {} : { headers };
      const reply = stream ? streamReply({ ...options, events: messageEvents(message) }) : jsonReply(messageObject(message), options);
      return reply.send(response, request);
    },
  };
}

export interface JsonReplyOptions {
  readonly status?: number;
  readonly headers?: ReplyHeaders;
  readonly gzip?: boolean;
}

/** A plain JSON reply with `content-length`. A string or bytes are sent as they are. */
export function jsonReply(value: unknown, options: JsonReplyOptions = {}): Reply {
  return {
    send(response) {
      const plain = typeof value === "string" || value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value));
      const body = options.gzip === true ? gzipSync(plain) : plain;
      response.writeHead(options.status ?? 200, {
        "content-type": "application/json",
        "content-length": String(body.length),
        "request-id": requestId(),
        ...(options.gzip === true ? { "content-encoding": "gzip" } : {}),
        ...mutable(options.headers),
      });
      response.end(body);
    },
  };
}

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  501: "not_supported",
  529: "overloaded_error",
};

/** An error in Anthropic's envelope; the type follows from the status unless given. */
export function errorReply(
  status: number,
  options: { readonly type?: string; readonly message?: string; readonly headers?: ReplyHeaders } = {},
): Reply {
  const type = options.type ?? errorTypes[status] ?? "api_error";
  const message = options.message ?? `scripted ${status}`;
  const body = { type: "error", error: { type, message }, request_id: requestId() };
  return jsonReply(body, { status, ...(options.headers === undefined ? {} : { headers: options.headers }) });
}

/** A place in a stream, after so many events or bytes of the plain stream; `bytes` may lie within an event. */
type StreamPoint = { readonly events: number } | { readonly bytes: number };

/** `finish`: a proper end of the body; `close`: the socket is destroyed; `reset`: RST. */
export type Cut = "finish" | "close" | "reset";

export interface StreamReplyOptions {
  /** Default: the events of a message with `text`. Raw bytes are sent as they are. */
  readonly events?: readonly (WireEvent | Uint8Array)[];
  /** Default "hello". */
  readonly text?: string;
  readonly usage?: ReplyUsage;
  /** Before each event but the first. */
  readonly delayMs?: number;
  /** Between the response headers and the first byte of the body. */
  readonly firstByteDelayMs?: number;
  /** How the bytes are handed to the socket; a number is a size in bytes. Default "event". */
  readonly chunking?: "event" | "whole" | "byte" | number;
  /** Stop there, in the manner of `cut` (default `close`). With `error`, that event is sent first. */
  readonly cutAfter?: StreamPoint;
  readonly cut?: Cut;
  /** Stop sending there until the promise resolves; without one until the client leaves. */
  readonly stallAfter?: StreamPoint;
  readonly stallUntil?: Promise<unknown>;
  /** An in-band error event, at `cutAfter` or after all events; the body then ends properly unless `cut` says otherwise. */
  readonly error?: { readonly type: string; readonly message: string };
  readonly gzip?: boolean;
  readonly status?: number;
  readonly headers?: ReplyHeaders;
}

/** A server-sent event stream, faulty if asked. */
export function streamReply(options: StreamReplyOptions = {}): Reply {
  return {
    async send(response, request) {
      const message = { blocks: [{ type: "text" as const, text: options.text ?? "hello" }], model: wanted(request).model };
      const events = options.events ?? messageEvents(options.usage === undefined ? message : { ...message, usage: options.usage });
      const bytes = events.map((event) => (event instanceof Uint8Array ? Buffer.from(event) : encodeEvent(event)));
      response.writeHead(options.status ?? 200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "request-id": requestId(),
        ...(options.gzip === true ? { "content-encoding": "gzip" } : {}),
        ...mutable(options.headers),
      });
      response.flushHeaders();
      if (options.firstByteDelayMs !== undefined) await delay(options.firstByteDelayMs);
      const write = options.gzip === true ? gzipWriter(response) : plainWriter(response);
      const cutAt = options.cutAfter === undefined ? undefined : offset(bytes, options.cutAfter);
      const stallAt = options.stallAfter === undefined ? undefined : offset(bytes, options.stallAfter);
      let sent = 0;
      for (const piece of plan(bytes, options, [cutAt, stallAt])) {
        if (sent === stallAt) await stall(response, options.stallUntil);
        if (sent === cutAt || response.destroyed) break;
        if (piece.startsEvent && sent > 0 && options.delayMs !== undefined) await delay(options.delayMs);
        await write(piece.bytes);
        sent += piece.bytes.length;
      }
      if (sent === stallAt && sent === total(bytes)) await stall(response, options.stallUntil);
      if (options.error !== undefined) await write(encodeEvent({ type: "error", error: options.error }));
      const cut = options.cut ?? (options.cutAfter === undefined || options.error !== undefined ? "finish" : "close");
      await end(response, write, cut);
    },
  };
}

/** Full control: write, stall or destroy as the test likes. */
export function rawReply(send: Reply["send"]): Reply {
  return { send };
}

/** The request is taken and nothing ever comes back. */
export function noReply(): Reply {
  return { send: () => undefined };
}

/** The connection ends without a status line. */
export function cutReply(cut: "close" | "reset" = "close"): Reply {
  return { send: (response) => void (cut === "reset" ? response.socket?.resetAndDestroy() : response.socket?.destroy()) };
}

interface Writer {
  (bytes: Buffer): Promise<void>;
  finish?(): Promise<void>;
}

function plainWriter(response: ServerResponse): Writer {
  return async (bytes) => {
    if (response.destroyed) return;
    if (!response.write(bytes)) await firstOf(response, ["drain", "close"]);
    // Writes of one turn leave as one packet; a turn each keeps the chunking that was asked for.
    await nextTurn();
  };
}

function gzipWriter(response: ServerResponse): Writer {
  const gzip = createGzip();
  gzip.pipe(response);
  const write: Writer = (bytes) =>
    new Promise((resolve) => {
      gzip.write(bytes);
      gzip.flush(constants.Z_SYNC_FLUSH, () => resolve());
    });
  write.finish = async () => {
    gzip.end();
    await firstOf(response, ["finish", "close"]);
  };
  return write;
}

/** Waits for any of these events, and leaves no listener behind. */
async function firstOf(response: ServerResponse, names: readonly string[]): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race(names.map((name) => once(response, name, { signal: over.signal })));
  } finally {
    over.abort();
  }
}

async function end(response: ServerResponse, write: Writer, cut: Cut): Promise<void> {
  switch (cut) {
    case "finish":
      await (write.finish === undefined ? response.end() : write.finish());
      return;
    case "close":
      response.socket?.destroy();
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
  }
}

async function stall(response: ServerResponse, until: Promise<unknown> | undefined): Promise<void> {
  if (response.destroyed) return;
  const left = once(response, "close");
  await (until === undefined ? left : Promise.race([until, left]));
}

interface Piece {
  readonly bytes: Buffer;
  readonly startsEvent: boolean;
}

/** The writes to make: cut by the chunking, and at the points where something happens. */
function plan(events: readonly Buffer[], options: StreamReplyOptions, points: readonly (number | undefined)[]): readonly Piece[] {
  const chunking = options.chunking ?? "event";
  const units = chunking === "whole" ? [Buffer.concat(events)] : events;
  const size = chunking === "byte" ? 1 : typeof chunking === "number" ? chunking : Number.POSITIVE_INFINITY;
  const pieces: Piece[] = [];
  let position = 0;
  for (const unit of units) {
    let taken = 0;
    while (taken < unit.length) {
      const next = points.filter((point) => point !== undefined && point > position).map((point) => (point ?? 0) - position);
      const length = Math.min(unit.length - taken, size, ...next);
      pieces.push({ bytes: unit.subarray(taken, taken + length), startsEvent: taken === 0 });
      taken += length;
      position += length;
    }
  }
  return pieces;
}

function offset(events: readonly Buffer[], point: StreamPoint): number {
  return "bytes" in point ? point.bytes : total(events.slice(0, point.events));
}

function total(events: readonly Buffer[]): number {
  return events.reduce((sum, event) => sum + event.length, 0);
}

function wanted(request: UpstreamRequest): { readonly model: string; readonly stream: boolean } {
  const fallback = { model: "claude-sonnet-5-5", stream: false };
  try {
    const body = request.json();
    if (typeof body !== "object" || body === null) return fallback;
    const model = "model" in body && typeof body.model === "string" ? body.model : fallback.model;
    return { model, stream: "stream" in body && body.stream === true };
  } catch {
    return fallback;
  }
}

let counter = 0;
function requestId(): string {
  counter += 1;
  return `req_scripted_${counter}`;
}

function mutable(headers: ReplyHeaders | undefined): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]): [string, string | string[]] => [
      name,
      typeof value === "string" ? value : [...value],
    ]),
  );
}
