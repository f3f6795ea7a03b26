/** What a host may do with a request: answer it, refuse it, break off anywhere, lie about what comes, or say nothing. */

import { setImmediate as nextTurn } from "node:timers/promises";

import { encodeEvent } from "../helpers/events.ts";
import { type ReplyScript, says } from "../helpers/wires/script.ts";
import { type Piece, type Wire, dataEvent } from "../helpers/wires/wire.ts";
import type { Act, Line } from "./upstream.ts";

export type Headers = Readonly<Record<string, string>>;

/** Something a test opens when it has seen what it wanted to see. */
export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** The same, on a connection that serves no other request: none is sent a second time on another for having been closed. */
export function closing(act: Act): Act {
  const close = (bytes: Buffer): Buffer =>
    /^HTTP\/1\.1 [2-5]/.test(bytes.subarray(0, 16).toString("latin1"))
      ? Buffer.concat([
          bytes.subarray(0, bytes.indexOf("\n") + 1),
          Buffer.from("connection: close\r\n"),
          bytes.subarray(bytes.indexOf("\n") + 1),
        ])
      : bytes;
  return async (line) => {
    await act({
      ...line,
      write: (bytes) => line.write(close(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes))),
    });
    line.finish();
  };
}

/** A complete reply, as a stream where one was asked for. @param said the text, or more than one */
export function answers(said: string | ReplyScript, headers: Headers = {}): Act {
  const script = typeof said === "string" ? says(said) : said;
  return async (line) => {
    if (line.asked.stream) await streams(script, { headers })(line);
    else await plain(200, line.wire.whole(script, line.asked), headers)(line);
  };
}

/** An answer with a length. A string is sent as it is. */
export function plain(status: number, body: unknown, headers: Headers = {}): Act {
  return ({ write }) => {
    const bytes = Buffer.from(typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body));
    const described = { "content-type": "application/json", "content-length": String(bytes.length), ...headers };
    write(Buffer.concat([Buffer.from(head(status, described), "latin1"), bytes]));
  };
}

export function head(status: number, headers: Headers): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join("")}\r\n`;
}

export interface Refusal {
  /** As the dialect names it; default: what it says for this status. */
  readonly type?: string;
  readonly message?: string;
  readonly headers?: Headers;
}

const anthropicTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

/** OpenAI's, where the type does not say it. */
const codes: Readonly<Record<number, string>> = {
  401: "invalid_api_key",
  404: "model_not_found",
  429: "rate_limit_exceeded",
  529: "server_is_overloaded",
};

/** An error in the envelope of the host's dialect. */
export function refuses(status: number, { type, message = `scripted ${status}`, headers = {} }: Refusal = {}): Act {
  return (line) => {
    const ownType = type ?? anthropicTypes[status] ?? "api_error";
    const body =
      line.wire.name === "anthropic"
        ? { type: "error", error: { type: ownType, message }, request_id: "req_chaos" }
        : {
            error: {
              message,
              type: type ?? (status < 500 ? "invalid_request_error" : "server_error"),
              param: null,
              code: codes[status] ?? null,
            },
          };
    return plain(status, body, headers)(line);
  };
}

/** The connection ends before a word of an answer. */
export const hangsUp: Act = ({ finish }) => finish();
export const resets: Act = ({ reset }) => reset();
/** Nothing ever comes; resolves when the client has left. */
export const silent: Act = ({ closed }) => closed;

/** These bytes and nothing else; the connection stays open. */
export function raw(bytes: string | Uint8Array): Act {
  return ({ write }) => write(bytes);
}

/** One after the other; a step that is no act is waited for. */
export function inOrder(...steps: readonly (Act | Promise<unknown>)[]): Act {
  return async (line) => {
    for (const step of steps) await (typeof step === "function" ? step(line) : step);
  };
}

/**
 * Where a stream goes wrong: after so many pieces of it, the first of which says nothing yet on any wire, or before the
 * next one behind so many pieces of content, or after so many bytes.
 */
export type At =
  | { readonly pieces: number }
  /** @param more bytes of the piece that would have come next */
  | { readonly content: number; readonly more?: number }
  | { readonly bytes: number }
  | "end";

export interface StreamFault {
  readonly headers?: Headers;
  /** Default: its end. */
  readonly at?: At;
  /** Waited for there. */
  readonly when?: Promise<unknown>;
  /**
   * `end`: the body ends in order; `fin`: the connection does, within the body; `reset`; `stall`: nothing more comes
   * until the client leaves; bytes: they come, and the body ends. Default: all of it comes, and ends in order.
   */
  readonly how?: "end" | "fin" | "reset" | "stall" | Uint8Array;
  /** Waited for before each byte; default: the pieces of the wire are sent a turn each. */
  readonly drip?: () => Promise<unknown>;
}

/** A stream of events in chunks, whole or broken. */
export function streams(said: string | ReplyScript, { headers = {}, at = "end", when, how = "end", drip }: StreamFault = {}): Act {
  const script = typeof said === "string" ? says(said) : said;
  return async (line) => {
    const { wire, asked, write, finish, reset, closed } = line;
    write(head(200, { ...wire.streamHeaders, "transfer-encoding": "chunked", ...headers }));
    for (const bytes of upTo(wire.stream(script, asked), at)) {
      for (const part of drip === undefined ? [bytes] : bytesOf(bytes)) {
        await drip?.();
        write(chunk(part));
      }
      await nextTurn();
    }
    await when;
    if (how instanceof Uint8Array) write(Buffer.concat([chunk(how), lastChunk]));
    else if (how === "end") write(lastChunk);
    else if (how === "fin") finish();
    else if (how === "reset") reset();
    else await closed;
  };
}

/** An error event as the dialect tells it in the middle of a stream. */
export function inBandError(wire: Wire, type = "overloaded_error", message = "Overloaded"): Uint8Array {
  if (wire.name === "anthropic") return encodeEvent({ type: "error", error: { type, message } });
  if (wire.name === "openai-responses") return encodeEvent({ type: "error", code: "server_is_overloaded", message, param: null });
  return dataEvent({ error: { message, type: "server_error", param: null, code: type } });
}

export function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

export const lastChunk: Buffer = Buffer.from("0\r\n\r\n");

/** The stream of a wire in one piece. */
export function wholeStream({ wire, asked }: Pick<Line, "wire" | "asked">, said: string | ReplyScript): Buffer {
  return Buffer.concat(wire.stream(typeof said === "string" ? says(said) : said, asked).map(({ bytes }) => bytes));
}

function upTo(pieces: readonly Piece[], at: At): readonly Uint8Array[] {
  if (at === "end") return pieces.map(({ bytes }) => bytes);
  if ("pieces" in at) return pieces.slice(0, at.pieces).map(({ bytes }) => bytes);
  if ("bytes" in at) {
    const whole = Buffer.concat(pieces.map(({ bytes }) => bytes));
    if (at.bytes > whole.length) throw new Error(`the stream has ${whole.length} bytes, ${at.bytes} were wanted`);
    return [whole.subarray(0, at.bytes)];
  }
  const kept: Uint8Array[] = [];
  let content = 0;
  for (const { bytes, isContent } of pieces) {
    if (isContent && content === at.content) return at.more === undefined ? kept : [...kept, bytes.subarray(0, at.more)];
    if (isContent) content += 1;
    kept.push(bytes);
  }
  throw new Error(`the stream has ${content} pieces of content, more than ${at.content} were wanted`);
}

function bytesOf(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}
