/**
 * The upstream of the bench, a process of its own: HTTP/1.1 by hand over sockets and replies made in advance,
 * so that it costs as little as can be. Prints its port; `GET /stats` and `POST /mode/<mode>` steer it.
 */

import { createServer, type Socket } from "node:net";
import { plainReply, requestBody, streamedReply, bodySizes, type BenchDialect, type ReplyForm } from "./bodies.ts";

/** `held`: a stream that goes on, one event a second, until the mode changes. */
export type UpstreamMode = ReplyForm | "held";

export interface UpstreamStats {
  readonly requests: number;
  /** Bodies that were not, byte for byte, one of those the bench sends. */
  readonly changedBodies: number;
  readonly openHeldStreams: number;
}

const dialects: readonly BenchDialect[] = ["anthropic", "openai-chat"];
const known = dialects.flatMap((dialect) =>
  bodySizes.flatMap((size) => [requestBody(size, "stream", dialect), requestBody(size, "plain", dialect)]),
);
const lastChunk = Buffer.from("0\r\n\r\n");
const streamHead = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nrequest-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n",
);

interface Replies {
  /** Of a stream, one per event. */
  readonly chunks: readonly Buffer[];
  readonly plain: Buffer;
}

const replies: Readonly<Record<BenchDialect, Replies>> = { anthropic: repliesOf("anthropic"), "openai-chat": repliesOf("openai-chat") };
const { chunks } = replies.anthropic;

function repliesOf(dialect: BenchDialect): Replies {
  const body = plainReply(dialect);
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\ncontent-length: ${body.length}\r\n\r\n`;
  return {
    chunks: streamedReply(dialect).map((event) =>
      Buffer.concat([Buffer.from(`${event.length.toString(16)}\r\n`), event, Buffer.from("\r\n")]),
    ),
    plain: Buffer.concat([Buffer.from(head), body]),
  };
}

const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");
const empty = Buffer.alloc(0);

let mode: UpstreamMode = "stream";
let requests = 0;
let changedBodies = 0;
const held = new Map<Socket, { sent: number; readonly slot: number }>();
const slots = 20;
let slot = 0;

setInterval(() => {
  slot = (slot + 1) % slots;
  for (const [socket, stream] of held) {
    if (stream.slot !== slot) continue;
    // Deltas only; the ending is kept back until the mode changes.
    socket.write(chunks[3 + (stream.sent % 50)] ?? lastChunk);
    stream.sent += 1;
  }
}, 1000 / slots).unref();

function endHeld(): void {
  for (const socket of held.keys()) socket.write(Buffer.concat([...chunks.slice(-3), lastChunk]));
  held.clear();
}

/** Events one by one, each in its own turn of the loop: what a proxy sees from a real model, without the waiting. */
function sendStream(socket: Socket, chunks: readonly Buffer[]): void {
  let index = 0;
  const next = (): void => {
    if (socket.destroyed) return;
    const chunk = chunks[index];
    if (chunk === undefined) return;
    index += 1;
    socket.write(index === 1 ? Buffer.concat([streamHead, chunk]) : index === chunks.length ? Buffer.concat([chunk, lastChunk]) : chunk);
    if (index < chunks.length) setImmediate(next);
  };
  next();
}

function reply(socket: Socket, method: string, path: string): void {
  if (method === "POST" && path.startsWith("/mode/")) {
    endHeld();
    mode = path.slice(6) === "held" ? "held" : path.slice(6) === "plain" ? "plain" : "stream";
    socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  } else if (method !== "POST") {
    const stats: UpstreamStats = { requests, changedBodies, openHeldStreams: held.size };
    const json = JSON.stringify(stats);
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`);
  } else if (mode === "plain") {
    socket.write(repliesAt(path).plain);
  } else if (mode === "stream") {
    sendStream(socket, repliesAt(path).chunks);
  } else {
    socket.write(Buffer.concat([streamHead, ...chunks.slice(0, 3)]));
    held.set(socket, { sent: 0, slot: held.size % slots });
  }
}

function repliesAt(path: string): Replies {
  return replies[path.includes("/chat/completions") ? "openai-chat" : "anthropic"];
}

/** One request after the other on a connection; the state is what is still missing of the current one. */
function serve(socket: Socket): void {
  let pending: Buffer = empty;
  let method = "";
  let path = "";
  /** Undefined: waiting for a head. -1: a chunked body. */
  let missing: number | undefined;
  let candidates: readonly Buffer[] = [];
  let offset = 0;

  const take = (bytes: Buffer): void => {
    candidates = candidates.filter((body) => bytes.compare(body, offset, Math.min(offset + bytes.length, body.length)) === 0);
    offset += bytes.length;
  };
  const finish = (): void => {
    missing = undefined;
    if (method === "POST" && !path.startsWith("/mode/")) {
      requests += 1;
      if (!candidates.some((body) => body.length === offset)) changedBodies += 1;
    }
    reply(socket, method, path);
  };
  /** False when more bytes are needed. */
  const head = (): boolean => {
    const end = pending.indexOf(headEnd);
    if (end < 0) return false;
    const text = pending.toString("latin1", 0, end);
    pending = pending.subarray(end + 4);
    const first = text.slice(0, text.indexOf("\r\n")).split(" ");
    method = first[0] ?? "";
    path = first[1] ?? "";
    const length = /\ncontent-length: *(\d+)/i.exec(text)?.[1];
    missing = length !== undefined ? Number(length) : /\ntransfer-encoding: *chunked/i.test(text) ? -1 : 0;
    candidates = known;
    offset = 0;
    if (/\nexpect: *100-continue/i.test(text)) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    return true;
  };
  const chunkedBody = (): boolean => {
    const line = pending.indexOf(lineEnd);
    if (line < 0) return false;
    const size = Number.parseInt(pending.toString("latin1", 0, line), 16);
    if (pending.length < line + 2 + size + 2) return false;
    take(pending.subarray(line + 2, line + 2 + size));
    pending = pending.subarray(line + 2 + size + 2);
    if (size === 0) finish();
    return true;
  };
  const plainLengthBody = (): boolean => {
    const bytes = pending.subarray(0, missing);
    pending = pending.subarray(bytes.length);
    take(bytes);
    missing = (missing ?? 0) - bytes.length;
    if (missing === 0) finish();
    return pending.length > 0 || missing === undefined;
  };

  socket.setNoDelay(true);
  socket.on("data", (data: Buffer) => {
    pending = pending.length === 0 ? data : Buffer.concat([pending, data]);
    let goesOn = pending.length > 0;
    while (goesOn) goesOn = missing === undefined ? pending.length > 0 && head() : missing < 0 ? chunkedBody() : plainLengthBody();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => held.delete(socket));
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
});
