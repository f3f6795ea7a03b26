/** An upstream of bare sockets: what it says, and when it hangs up, is up to the test. */

import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { SelfSigned } from "./self-signed.ts";

export interface RawConnection {
  readonly socket: Socket;
  /** Counts from 0. */
  readonly index: number;
  /** All that came on it so far, as latin1. */
  readonly received: () => string;
  /** The next whole request (its body counted by content-length). Rejects when the connection closes before. */
  request(): Promise<string>;
  write(bytes: string): void;
  readonly closed: Promise<void>;
}

export interface RawUpstream extends AsyncDisposable {
  readonly port: number;
  /** http or https on 127.0.0.1. */
  readonly origin: string;
  readonly connections: readonly RawConnection[];
  /** Resolves with the connection of this index, accepted already or yet to come. */
  connection(index: number): Promise<RawConnection>;
}

/** @param serve called for every connection; what it throws ends that connection */
export async function startRawUpstream(
  serve: (connection: RawConnection) => Promise<void> | void = () => undefined,
  { tls, host = "127.0.0.1", port: wanted = 0 }: { readonly tls?: SelfSigned; readonly host?: string; readonly port?: number } = {},
): Promise<RawUpstream> {
  const connections: RawConnection[] = [];
  const waiting: (() => void)[] = [];
  const accepted = new Set<Socket>();
  const accept = (socket: Socket): void => {
    const connection = track(socket, connections.length);
    connections.push(connection);
    for (const wake of waiting.splice(0)) wake();
    void (async () => serve(connection))().catch(() => socket.destroy());
  };
  const server: Server = tls === undefined ? createServer(accept) : createTlsServer({ ...tls, ALPNProtocols: ["http/1.1"] }, accept);
  // Those whose handshake fails, too.
  server.on("connection", (socket: Socket) => {
    accepted.add(socket);
    socket.on("error", () => undefined);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(wanted, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    connections,
    async connection(index) {
      for (;;) {
        const found = connections[index];
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => void waiting.push(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of accepted) socket.destroy();
      for (const { socket } of connections) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function track(socket: Socket, index: number): RawConnection {
  let received = "";
  let read = 0;
  let isClosed = false;
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
    wake();
  });
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      isClosed = true;
      resolve();
      wake();
    });
  });
  function nextRequest(): string | undefined {
    const rest = received.slice(read);
    const headEnd = rest.indexOf("\r\n\r\n");
    if (headEnd < 0) return undefined;
    const length = Number(/^content-length: *(\d+)/im.exec(rest.slice(0, headEnd))?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (rest.length < end) return undefined;
    read += end;
    return rest.slice(0, end);
  }
  return {
    socket,
    index,
    received: () => received,
    async request() {
      for (;;) {
        const request = nextRequest();
        if (request !== undefined) return request;
        if (isClosed) throw new Error("the connection closed before a whole request had come");
        await new Promise<void>((resolve) => void waiting.push(resolve));
      }
    },
    write: (bytes) => void socket.write(Buffer.from(bytes, "latin1")),
    closed,
  };
}

export const okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
