/** The HTTP listener: its limits, its bind rules, and what it answers to that which is not HTTP. */

import { type RequestListener, type Server, createServer } from "node:http";
import type { AddressInfo, Server as NetServer } from "node:net";
import { isIPv6 } from "node:net";
import type { Duplex } from "node:stream";

import { Connections } from "./connections.ts";

const serverOptions = {
  /** Claude Code's betas and custom headers outgrow Node's 16 KiB. */
  maxHeaderSize: 64 * 1024,
  headersTimeout: 60_000,
  /** Uploads may be slow. */
  requestTimeout: 600_000,
  /** An agent's tools run for minutes between two requests; a closed connection would cost it a new one each time. */
  keepAliveTimeout: 620_000,
};

/** The port that was asked for is in use, or the address is not ours to bind. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface Listener {
  readonly server: Server;
  readonly connections: Connections;
  readonly port: number;
  readonly url: string;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** In place of a port of its own: one that another process has opened. */
  readonly socket?: NetServer | undefined;
  /** Told when a connection could not be accepted; the listener goes on. */
  readonly onError: (error: Error) => void;
}

/** @throws ListenError */
export function listen(handler: RequestListener, { host, port, socket, onError }: ListenOptions): Promise<Listener> {
  const server = createServer(serverOptions, handler);
  const connections = new Connections(server);
  server.on("clientError", (error, socket) => answerBroken(error, socket, connections.isAnswering(socket)));
  return new Promise((resolve, reject) => {
    const onRefused = (error: Error): void => reject(toListenError(error, host, port));
    server.once("error", onRefused);
    const onListening = (): void => {
      server.off("error", onRefused).on("error", onError);
      const { port: actual } = addressOf(server);
      const name = isIPv6(host) ? `[${host}]` : host;
      resolve({
        server,
        connections,
        port: actual,
        url: `http://${name === "0.0.0.0" ? "127.0.0.1" : name === "[::]" ? "[::1]" : name}:${actual}`,
      });
    };
    if (socket === undefined) server.listen(port, host, onListening);
    else server.listen(socket, onListening);
  });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no port");
  return address;
}

function toListenError(error: Error, host: string, port: number): ListenError {
  const code = "code" in error ? String(error.code) : "";
  const what =
    code === "EADDRINUSE"
      ? `port ${port} on ${host} is in use by another program; stop it, or choose another port with --port or ccproxy.port`
      : code === "EACCES"
        ? `port ${port} on ${host} may not be opened by this user; choose one above 1023`
        : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
          ? `"${host}" is no address of this machine; use 127.0.0.1`
          : `cannot listen on ${host}:${port} (${error.message})`;
  return new ListenError(what, code, { cause: error });
}

/**
 * What the HTTP parser refuses: there is no request to route, so no dialect either. Behind a request whose
 * answer is on its way nothing can be said that would not end up inside that answer.
 */
function answerBroken(error: Error, socket: Duplex, isAnswering: boolean): void {
  const code = "code" in error ? error.code : undefined;
  if (code === "ECONNRESET" || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const [status, message] =
    code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", `The request headers exceed ${serverOptions.maxHeaderSize} bytes.`]
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", "The request did not arrive in time."]
        : ["400 Bad Request", "The request is not well-formed HTTP."];
  const body = JSON.stringify({ type: "error", error: { type: "invalid_request_error", message } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Loopback in all its spellings. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
