/** The open connections of an HTTP server, and what each of them has to lose by being closed. */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

interface Connection {
  readonly socket: Socket;
  /** Requests that are not answered to the last byte. */
  readonly open: Set<ServerResponse>;
  /** How much had been read when the last answer was out: more than that is a request that is coming in. */
  readBytes: number;
}

/**
 * Node's own `closeIdleConnections` takes an answer for finished once its last byte is written to the socket,
 * and so cuts it off under a client that still reads; a connection that has said nothing it never closes.
 */
export class Connections {
  readonly #connections = new Map<Duplex, Connection>();
  #closing = false;
  /** Set once connections end with the answers on them; to be told when nothing is under way. */
  #onIdle: (() => void) | undefined;
  /** Requests under way, on whatever connection. */
  #underWay = 0;

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#connections.set(socket, { socket, open: new Set(), readBytes: 0 });
      socket.once("close", () => this.#connections.delete(socket));
    });
    server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      const connection = this.#connections.get(socket);
      if (connection === undefined) return;
      if (this.#onIdle !== undefined) {
        // What comes behind it is answered, too.
        for (const earlier of connection.open) if (!earlier.headersSent) earlier.shouldKeepAlive = true;
        response.shouldKeepAlive = false;
      }
      connection.open.add(response);
      this.#underWay++;
      response.once("close", () => {
        connection.open.delete(response);
        this.#underWay--;
        connection.readBytes = socket.bytesRead;
        if (this.#closing) closeQuiet(connection);
        this.#tellIdle();
      });
    });
  }

  /** Whether a connection waits for an answer that has begun, or to a request that had come in whole. */
  isAnswering(socket: Duplex): boolean {
    return [...(this.#connections.get(socket)?.open ?? [])].some((response) => response.headersSent || response.req.complete);
  }

  /**
   * From now on answers say that theirs is the last one on the connection.
   * @param onIdle called whenever no request is under way, at once if that is so
   */
  endAfterReplies(onIdle: () => void): void {
    this.#onIdle = onIdle;
    for (const { open } of this.#connections.values()) {
      const last = [...open].at(-1);
      if (last?.headersSent === false) last.shouldKeepAlive = false;
    }
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#underWay === 0) this.#onIdle?.();
  }

  /** Closes every connection with nothing under way, now and from now on. */
  closeQuiet(): void {
    this.#closing = true;
    for (const connection of this.#connections.values()) closeQuiet(connection);
  }

  /** Closes those too whose request has not come in yet. */
  closeUnasked(): void {
    for (const { socket, open } of this.#connections.values()) if (open.size === 0) socket.destroy();
  }

  closeAll(): void {
    for (const { socket } of this.#connections.values()) socket.destroy();
  }
}

function closeQuiet({ socket, open, readBytes }: Connection): void {
  if (open.size === 0 && socket.bytesRead === readBytes) socket.destroy();
}
