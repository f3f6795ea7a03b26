/** How messages cross the socket between proxy and host: a JSON header each, with bytes behind it where parts of a body travel. */

import type { Writable } from "node:stream";

/** Length of the rest, then length of the header, each an unsigned 32-bit number, little end first. */
const prefixBytes = 8;
/** A payload up to this size is copied behind its header: a second chunk would cost more than the copy. */
const copiedBytes = 4096;

/** What a peer may send in one frame, unless said otherwise. */
export const maxFrameBytes: number = 64 * 1024 * 1024;

/** The bytes of one frame, in chunks to be written one behind the other; a large payload is not copied. */
export function encodeFrame(header: object, payload: readonly Uint8Array[] = []): readonly Uint8Array[] {
  const json = JSON.stringify(header);
  const headerBytes = Buffer.byteLength(json);
  let payloadBytes = 0;
  for (const part of payload) payloadBytes += part.length;
  const isCopied = payloadBytes <= copiedBytes;
  const first = Buffer.allocUnsafe(prefixBytes + headerBytes + (isCopied ? payloadBytes : 0));
  first.writeUInt32LE(4 + headerBytes + payloadBytes, 0);
  first.writeUInt32LE(headerBytes, 4);
  first.write(json, prefixBytes);
  if (!isCopied) return [first, ...payload];
  let at = prefixBytes + headerBytes;
  for (const part of payload) {
    first.set(part, at);
    at += part.length;
  }
  return [first];
}

export interface FrameDecoder {
  /** Hands over every frame that is now complete. @throws FrameError; the decoder is of no use afterwards. */
  push(chunk: Uint8Array): void;
}

/** The peer does not speak this protocol. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/**
 * Puts frames together again, wherever the chunks were cut.
 * @param onFrame gets the parsed header, and a view of the payload that stays valid
 */
export function createFrameDecoder(
  onFrame: (header: unknown, payload: Uint8Array, headerBytes: number) => void,
  maxBytes: number = maxFrameBytes,
): FrameDecoder {
  /** What has come of a frame that is not complete, and how many bytes it takes to be. */
  let chunks: Uint8Array[] = [];
  let gatheredBytes = 0;
  let wantedBytes = 0;

  /** Hands over what is complete from the front of the bytes, keeps the rest. */
  const take = (bytes: Buffer): void => {
    let at = 0;
    while (bytes.length - at >= prefixBytes) {
      const end = at + frameBytes(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), maxBytes);
      if (end > bytes.length) break;
      const headerBytes = bytes.readUInt32LE(at + 4);
      const payloadAt = at + prefixBytes + headerBytes;
      onFrame(parse(bytes.toString("utf8", at + prefixBytes, payloadAt)), bytes.subarray(payloadAt, end), headerBytes);
      at = end;
    }
    const rest = bytes.subarray(at);
    chunks = rest.length === 0 ? [] : [rest];
    gatheredBytes = rest.length;
    wantedBytes = rest.length < prefixBytes ? prefixBytes : frameBytes(rest.readUInt32LE(0), rest.readUInt32LE(4), maxBytes);
  };

  return {
    push(chunk) {
      if (gatheredBytes === 0) return take(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
      chunks.push(chunk);
      gatheredBytes += chunk.length;
      if (gatheredBytes >= wantedBytes) take(Buffer.concat(chunks, gatheredBytes));
    },
  };
}

function frameBytes(restBytes: number, headerBytes: number, maxBytes: number): number {
  if (restBytes > maxBytes) throw new FrameError(`a frame of ${restBytes} bytes; at most ${maxBytes} are taken`);
  if (restBytes < 4 + headerBytes) throw new FrameError(`a frame of ${restBytes} bytes with a header of ${headerBytes}`);
  return 4 + restBytes;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FrameError("the header of a frame is not JSON", { cause: error });
  }
}

export interface FrameWriter {
  /** Written at the end of this turn of the loop, together with what else was sent in it. */
  send(header: object, payload?: readonly Uint8Array[]): void;
  /** Writes what waits at once. */
  flush(): void;
}

/** Gathers the frames of one turn of the loop into one write. */
export function createFrameWriter(stream: Writable): FrameWriter {
  let waiting: Uint8Array[] = [];
  const flush = (): void => {
    const chunks = waiting;
    if (chunks.length === 0) return;
    waiting = [];
    // Nobody hears an answer any more; whoever waits for one is told by the close of the stream.
    if (stream.destroyed) return;
    if (chunks.length > 1) stream.cork();
    for (const chunk of chunks) stream.write(chunk);
    if (chunks.length > 1) stream.uncork();
  };
  return {
    send(header, payload) {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(...encodeFrame(header, payload));
    },
    flush,
  };
}
