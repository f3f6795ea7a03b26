/** An address where connecting never succeeds and never fails: a listener that accepts nobody, its queue full. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

export interface BlackHole extends AsyncDisposable {
  readonly url: string;
}

const listener = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    // The kernel goes on to queue connections; nobody takes one.
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

export async function startBlackHole(): Promise<BlackHole> {
  const worker = new Worker(listener, { eval: true });
  const [port] = await once(worker, "message");
  const sockets: Socket[] = [];
  // The queue takes one or two; a few more make sure.
  for (let count = 0; count < 4; count++) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => undefined);
    sockets.push(socket);
  }
  const [first] = sockets;
  if (first !== undefined) await once(first, "connect");
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    },
  };
}
