/** A forward proxy on loopback that tunnels (CONNECT), whatever name is asked for, to where the test says. */

import { once } from "node:events";
import { type IncomingMessage, type Server, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, type Socket, connect } from "node:net";
import type { SelfSigned } from "../../helpers/self-signed.ts";

export interface ForwardProxy extends AsyncDisposable {
  readonly port: number;
  /** Authority and `proxy-authorization` of each request. */
  readonly asked: readonly (readonly [authority: string, authorization: string | undefined])[];
  readonly heads: readonly IncomingMessage["headers"][];
  /** Connections to it that are open. */
  readonly open: ReadonlySet<Socket>;
}

export interface ForwardProxyOptions {
  /** Of 127.0.0.1. */
  readonly to: number;
  readonly tls?: SelfSigned;
  /** In place of a tunnel. */
  readonly refuse?: string;
}

export async function startForwardProxy({ to, tls, refuse }: ForwardProxyOptions): Promise<ForwardProxy> {
  const asked: (readonly [string, string | undefined])[] = [];
  const heads: IncomingMessage["headers"][] = [];
  const open = new Set<Socket>();
  const server: Server = tls === undefined ? createServer() : createTlsServer({ ...tls });
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => open.delete(socket));
  });
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    asked.push([request.url ?? "", request.headers["proxy-authorization"]]);
    heads.push(request.headers);
    client.on("error", () => undefined);
    if (refuse !== undefined) {
      client.end(refuse);
      return;
    }
    const upstream = connect(to, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    heads,
    open,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
