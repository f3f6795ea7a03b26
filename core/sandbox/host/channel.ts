/**
 * The host's end of the socket, read and written without an event loop: there is nothing else the host could do
 * meanwhile, an answer is in the kernel before the next unit begins, and waking up costs a fifth.
 */

import { readSync, writeSync } from "node:fs";

export interface Channel {
  /** Waits for bytes. Undefined when the peer is gone. The bytes stay valid. */
  read(): Uint8Array | undefined;
  /** Returns when the kernel has the whole frame. @param json the header */
  write(json: string): void;
}

const readBytes = 256 * 1024;
const leastReadBytes = 64 * 1024;
const prefixBytes = 8;

/** @param fd a stream socket, blocking or not */
export function openChannel(fd: number): Channel {
  let buffer = Buffer.allocUnsafeSlow(readBytes);
  let used = 0;
  return {
    read() {
      if (buffer.length - used < leastReadBytes) {
        buffer = Buffer.allocUnsafeSlow(readBytes);
        used = 0;
      }
      const count = retry(() => readSync(fd, buffer, used, buffer.length - used, null));
      if (count === 0) return undefined;
      used += count;
      return buffer.subarray(used - count, used);
    },
    write(json) {
      const headerBytes = Buffer.byteLength(json);
      const frame = Buffer.allocUnsafe(prefixBytes + headerBytes);
      frame.writeUInt32LE(4 + headerBytes, 0);
      frame.writeUInt32LE(headerBytes, 4);
      frame.write(json, prefixBytes);
      let written = 0;
      while (written < frame.length) written += retry(() => writeSync(fd, frame, written));
    },
  };
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** A socket that somebody made non-blocking says EAGAIN instead of waiting. */
function retry(attempt: () => number): number {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
      if (code === "EAGAIN" || code === "EINTR") Atomics.wait(pause, 0, 0, 1);
      else if (code === "ECONNRESET" || code === "EPIPE") return 0;
      else throw error;
    }
  }
}
