/** A lock between the processes of one machine: several test files may need the same download at once, and one fetches it. */

import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/** The socket that stands for a lock of this name. */
export function lockPath(name: string): string {
  return path.join(tmpdir(), `ccproxy-e2e-${createHash("sha256").update(name).digest("hex").slice(0, 16)}.lock`);
}

/** A listening socket is a lock that the system releases with its holder, however that ends. */
export async function underLock<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const socketPath = lockPath(name);
  for (;;) {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => waiting.add(socket));
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once("listening", () => resolve(true));
      server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
      server.listen(socketPath);
    });
    if (taken) {
      try {
        return await work();
      } finally {
        for (const socket of waiting) socket.destroy();
        server.close();
      }
    }
    await holderGone(socketPath);
  }
}

/** Waits until the holder lets go; a socket file without a holder is removed. */
async function holderGone(socketPath: string): Promise<void> {
  const socket = connect(socketPath);
  // A holder that ends before it has accepted this connection resets it, which is as good an end as any.
  socket.on("error", () => undefined);
  let connected = false;
  socket.on("connect", () => (connected = true));
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  if (!connected) await rm(socketPath, { force: true });
}
