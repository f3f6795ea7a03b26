/** The load generator: HTTP/1.1 by hand over kept-alive sockets, so that its own cost stays below what it measures. */

import { connect, type Socket } from "node:net";
import { requestHeaders } from "./bodies.ts";

export interface Reply {
  readonly status: number;
  /** Milliseconds from the first byte sent to the first byte of the reply's body. */
  readonly firstByteMs: number;
  /** Milliseconds from the first byte sent to the end of the reply. */
  readonly totalMs: number;
  readonly bodyBytes: number;
  /** The whole body, where the exchange was told to keep it; else its last bytes. */
  readonly body: Buffer;
  /** Whether the body equalled the expected bytes; false when none were given. */
  readonly isExact: boolean;
}

export interface ExchangeOptions {
  readonly expected?: Buffer | undefined;
  readonly keepBody?: boolean;
  /** Called with each piece of the body as it comes. */
  readonly onBytes?: (bytes: number) => void;
}

export interface RequestParts {
  /** Named in the Host header, which a careful server checks. */
  readonly port: number;
  readonly path: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The bytes of a POST: head and body. */
export function encodeRequest({ port, path, body, headers }: RequestParts): Buffer {
  const own = { host: `127.0.0.1:${port}`, connection: "keep-alive", "content-length": String(body.length) };
  const lines = Object.entries({ ...own, ...requestHeaders, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`), body]);
}

const empty = Buffer.alloc(0);
const headEnd = Buffer.from("\r\n\r\n");
const tailBytes = 512;

/** One connection that carries one exchange at a time and opens itself again when the server closed it. */
export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends one request and reads its whole reply. Rejects when the connection breaks off before the reply's end. */
  async send(request: Buffer, options: ExchangeOptions = {}): Promise<Reply> {
    const socket = this.#socket ?? (await this.#open());
    return new Promise((resolve, reject) => {
      this.#exchange = new Exchange(options, {
        resolve: (reply, keep) => {
          this.#exchange = undefined;
          if (!keep) {
            this.#socket = undefined;
            socket.destroy();
          }
          resolve(reply);
        },
        reject,
      });
      socket.write(request);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #open(): Promise<Socket> {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    this.#socket = socket;
    socket.on("data", (data: Buffer) => this.#exchange?.push(data));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
      const exchange = this.#exchange;
      this.#exchange = undefined;
      exchange?.broken();
    });
    return socket;
  }
}

interface Outcome {
  readonly resolve: (reply: Reply, keepAlive: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Reads one reply. */
class Exchange {
  readonly #startedAt = performance.now();
  readonly #options: ExchangeOptions;
  readonly #outcome: Outcome;
  #pending: Buffer = empty;
  #status = 0;
  #keepAlive = true;
  /** Bytes missing of the body or of the current chunk; -1: reads chunk heads; undefined: reads the head. */
  #missing: number | undefined;
  #isChunked = false;
  #untilClose = false;
  #firstByteAt = 0;
  #bodyBytes = 0;
  #isExact: boolean;
  #kept: Buffer[] = [];

  constructor(options: ExchangeOptions, outcome: Outcome) {
    this.#options = options;
    this.#outcome = outcome;
    this.#isExact = options.expected !== undefined;
  }

  push(data: Buffer): void {
    let rest = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
    this.#pending = empty;
    while (rest.length > 0) {
      if (this.#missing === undefined) {
        const end = rest.indexOf(headEnd);
        if (end < 0) break;
        this.#readHead(rest.toString("latin1", 0, end));
        rest = rest.subarray(end + 4);
        if (this.#missing === 0 && !this.#isChunked) return this.#finish();
      } else if (this.#missing > 0) {
        const piece = rest.subarray(0, this.#missing);
        this.#take(piece);
        rest = rest.subarray(piece.length);
        this.#missing -= piece.length;
        if (this.#missing === 0 && !this.#isChunked) return this.#finish();
        if (this.#missing === 0) this.#missing = -1;
      } else {
        // A chunk head, behind the line end of the chunk before it.
        const from = rest[0] === 13 ? 2 : 0;
        const end = rest.indexOf(13, from);
        if (end < 0 || rest.length < end + 2) break;
        const size = Number.parseInt(rest.toString("latin1", from, end), 16);
        if (size === 0) {
          if (rest.length < end + 4) break;
          return this.#finish();
        }
        rest = rest.subarray(end + 2);
        this.#missing = size;
      }
    }
    this.#pending = rest;
  }

  broken(): void {
    if (this.#untilClose) this.#finish();
    else this.#outcome.reject(new Error(`the connection broke off after ${this.#bodyBytes} bytes of a reply with status ${this.#status}`));
  }

  #readHead(head: string): void {
    this.#status = Number(head.slice(9, 12));
    this.#keepAlive = !/\nconnection: *close/i.test(head);
    const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#isChunked = length === undefined && /\ntransfer-encoding: *chunked/i.test(head);
    this.#untilClose = length === undefined && !this.#isChunked;
    this.#missing = this.#isChunked ? -1 : length === undefined ? Number.POSITIVE_INFINITY : Number(length);
  }

  #take(piece: Buffer): void {
    if (this.#firstByteAt === 0) this.#firstByteAt = performance.now();
    const { expected, keepBody, onBytes } = this.#options;
    if (this.#isExact && expected !== undefined) {
      this.#isExact = piece.compare(expected, this.#bodyBytes, Math.min(this.#bodyBytes + piece.length, expected.length)) === 0;
    }
    this.#bodyBytes += piece.length;
    onBytes?.(piece.length);
    this.#kept.push(piece);
    if (keepBody !== true && this.#kept.length > 8) this.#kept = [Buffer.concat(this.#kept).subarray(-tailBytes)];
  }

  #finish(): void {
    const now = performance.now();
    this.#outcome.resolve(
      {
        status: this.#status,
        firstByteMs: (this.#firstByteAt === 0 ? now : this.#firstByteAt) - this.#startedAt,
        totalMs: now - this.#startedAt,
        bodyBytes: this.#bodyBytes,
        body: Buffer.concat(this.#kept),
        isExact: this.#isExact && this.#bodyBytes === this.#options.expected?.length,
      },
      this.#keepAlive && !this.#untilClose,
    );
  }
}
