/** A plain HTTP client that shows what arrives while it arrives, and tells a clean end from a broken one. */

import { type Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { once } from "node:events";

export interface ClientOptions {
  readonly method?: string;
  /** Default `/v1/messages`. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

/** An answer whose body may still be on its way. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly response: IncomingMessage;
  readonly bytes: Buffer;
  readonly text: string;
  /** Resolves as soon as the text so far holds this. Rejects when the answer ends without it. */
  until(part: string): Promise<void>;
  /** `clean`: the body came to its proper end; `broken`: the connection did. */
  readonly ended: Promise<"clean" | "broken">;
  /** Closes the connection. */
  leave(): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
  readonly end: "clean" | "broken";
  json(): unknown;
}

/** Sends a request, by default a POST with a JSON body, and resolves with the response headers. */
export function openAnswer(base: string, body: Buffer | string | undefined, options: ClientOptions = {}): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${base}${options.path ?? "/v1/messages"}`,
      {
        method: options.method ?? "POST",
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
          ...options.headers,
        },
        ...(options.agent === undefined ? {} : { agent: options.agent }),
      },
      (response) => resolve(follow(response, () => request.destroy())),
    );
    request.on("error", reject);
    request.end(body);
  });
}

function follow(response: IncomingMessage, leave: () => void): OpenAnswer {
  const chunks: Buffer[] = [];
  const waiting = new Set<() => void>();
  let over = false;
  const answer: OpenAnswer = {
    status: response.statusCode ?? 0,
    headers: response.headers,
    response,
    get bytes() {
      return Buffer.concat(chunks);
    },
    get text() {
      return answer.bytes.toString("utf8");
    },
    until: (part) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (answer.text.includes(part)) resolve();
          else if (over) reject(new Error(`the answer ended without "${part}": ${answer.text.slice(-500)}`));
          else return;
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
    ended: new Promise((resolve) => {
      response.once("close", () => {
        over = true;
        for (const check of waiting) check();
        resolve(response.complete ? "clean" : "broken");
      });
    }),
    leave,
  };
  response.on("error", () => undefined);
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    for (const check of waiting) check();
  });
  return answer;
}

/** Sends a request and resolves with the whole answer. */
export async function ask(base: string, body: Buffer | string | undefined, options: ClientOptions = {}): Promise<Answer> {
  const open = await openAnswer(base, body, options);
  const end = await open.ended;
  const { bytes } = open;
  return {
    status: open.status,
    headers: open.headers,
    rawHeaders: open.response.rawHeaders,
    bytes,
    text: bytes.toString("utf8"),
    end,
    json: (): unknown => JSON.parse(bytes.toString("utf8")),
  };
}

/** A bare connection: what a client can do that no HTTP library does. */
export interface RawConnection {
  readonly socket: Socket;
  readonly text: string;
  /** Resolves as soon as the text so far holds this. Rejects when the connection ends without it. */
  until(part: string): Promise<void>;
  readonly closed: Promise<void>;
  write(data: string | Buffer): void;
}

export async function dial(base: string, options: { readonly allowHalfOpen?: boolean } = {}): Promise<RawConnection> {
  const socket = connect({ port: Number(new URL(base).port), host: "127.0.0.1", allowHalfOpen: options.allowHalfOpen ?? false });
  const chunks: Buffer[] = [];
  const waiting = new Set<() => void>();
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    for (const check of waiting) check();
  });
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      for (const check of waiting) check();
      resolve();
    });
  });
  await once(socket, "connect");
  const connection: RawConnection = {
    socket,
    get text() {
      return Buffer.concat(chunks).toString("latin1");
    },
    until: (part) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (connection.text.includes(part)) resolve();
          else if (socket.destroyed || socket.readableEnded)
            reject(new Error(`the connection ended without "${part}": ${connection.text}`));
          else return;
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
    closed,
    write: (data) => void socket.write(data),
  };
  return connection;
}

/** The text of a POST with a JSON body, as it goes over the wire. */
export function rawPost(base: string, body: string, headers: readonly string[] = []): string {
  return [
    "POST /v1/messages HTTP/1.1",
    `host: ${new URL(base).host}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body,
  ].join("\r\n");
}
