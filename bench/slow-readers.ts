/** Clients that take a kilobyte a second of a reply without an end; a process of its own. Usage: `node bench/slow-readers.ts <port> <count>`. */

import { connect, type Socket } from "node:net";
import { requestBody } from "./bodies.ts";
import { encodeRequest } from "./client.ts";

const bytesPerSecond = 1024;

const [port, count] = process.argv.slice(2).map(Number);
if (port === undefined || count === undefined) throw new Error("usage: node bench/slow-readers.ts <port> <count>");
const request = encodeRequest({ port, path: "/v1/messages?beta=true&endless", body: requestBody("50k", "stream") });

/** Resolves with its first bytes. */
function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: port ?? 0, host: "127.0.0.1" });
    socket.on("error", reject);
    socket.once("connect", () => socket.write(request));
    socket.once("readable", () => resolve(socket));
  });
}

const sockets: Socket[] = [];
while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: Math.min(20, count - sockets.length) }, open))));
let turn = 0;
const turns = 20;
setInterval(() => {
  turn = (turn + 1) % turns;
  for (let index = turn; index < sockets.length; index += turns) {
    const socket = sockets[index];
    if (socket?.read(bytesPerSecond) === null) socket.read();
  }
}, 1000 / turns);
process.stdout.write(`${sockets.length}\n`);
