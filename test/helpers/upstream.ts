/** A scripted upstream on loopback that speaks Anthropic Messages: a real HTTP server that records what it was asked. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errorReply, jsonReply, textReply, type Reply } from "./replies.ts";

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, as received. */
  readonly url: string;
  /** Without the query. */
  readonly path: string;
  /** By lower-case name; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values exactly as received, in order. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** The parsed body; throws when it is not JSON. */
  json(): unknown;
  /** Resolves when the client leaves before the reply is complete. Never resolves otherwise. */
  readonly aborted: Promise<void>;
  readonly isAborted: boolean;
  /** Resolves when this exchange is over, either way. */
  readonly closed: Promise<void>;
}

/** One reply for ever, a sequence whose last one repeats, or a function that decides. `index` counts this route's requests from 0. */
export type Script = Reply | readonly Reply[] | ((request: UpstreamRequest, index: number) => Reply | Promise<Reply>);

export interface UpstreamOptions {
  /** False: answer as soon as the headers are in, and leave the body unread (recorded as empty). */
  readonly readBody?: boolean;
}

export interface Upstream {
  /** e.g. `http://127.0.0.1:40123`, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Every request, in the order in which they were complete. Those of one route: `requestsTo`. */
  readonly requests: readonly UpstreamRequest[];
  /** Requests to `POST /v1/messages`, or to another path. */
  requestsTo(path?: string): readonly UpstreamRequest[];
  /** The next request that arrives from now on. */
  nextRequest(): Promise<UpstreamRequest>;
  /**
   * Sets what answers a route, and starts its count anew.
   * @param route `METHOD /path`, default `POST /v1/messages`; `*` is every request without a route of its own.
   */
  script(script: Script, route?: string): void;
  /** Exchanges not yet over. */
  readonly openExchanges: number;
  /** TCP connections accepted since the start. */
  readonly connections: number;
  /** Ends every connection at once. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts an upstream on a free port. Without a script it answers `POST /v1/messages` with the text "hello". */
export async function startUpstream(script: Script = textReply("hello"), options: UpstreamOptions = {}): Promise<Upstream> {
  const requests: UpstreamRequest[] = [];
  const waiting: ((request: UpstreamRequest) => void)[] = [];
  const routes = new Map<string, { readonly script: Script; count: number }>();
  const sockets = new Set<Socket>();
  let connections = 0;
  let openExchanges = 0;

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    openExchanges += 1;
    response.once("close", () => (openExchanges -= 1));
    const body = options.readBody === false ? Buffer.alloc(0) : await readAll(incoming);
    if (body === undefined) return;
    const request = record(incoming, response, body);
    requests.push(request);
    for (const resolve of waiting.splice(0)) resolve(request);
    const route = routes.get(`${request.method} ${request.path}`) ?? routes.get("*");
    const reply = route === undefined ? notFound(request) : await choose(route.script, request, route.count++);
    if (!response.destroyed) await reply.send(response, request);
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      // A script that throws must be seen by the test that wrote it, as the reply of the upstream.
      if (response.destroyed) return;
      if (response.headersSent) response.destroy();
      else response.writeHead(599).end(`scripted upstream failed: ${String(error)}`);
    });
  });
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the upstream has no port");

  const upstream: Upstream = {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    requestsTo: (path = "/v1/messages") => requests.filter((request) => request.path === path),
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    script: (next, route = "POST /v1/messages") => void routes.set(route, { script: next, count: 0 }),
    get openExchanges() {
      return openExchanges;
    },
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
    [Symbol.asyncDispose]: () => upstream.close(),
  };
  upstream.script(script);
  upstream.script(jsonReply({ input_tokens: 7 }), "POST /v1/messages/count_tokens");
  upstream.script(jsonReply(modelList), "GET /v1/models");
  upstream.script(jsonReply({ status: "ok" }), "HEAD /api/hello");
  upstream.script(jsonReply({ status: "ok" }), "GET /api/hello");
  return upstream;
}

const modelList = {
  data: [{ type: "model", id: "claude-sonnet-5-5", display_name: "Claude Sonnet 5.5", created_at: "2026-06-01T00:00:00Z" }],
  has_more: false,
  first_id: "claude-sonnet-5-5",
  last_id: "claude-sonnet-5-5",
};

function notFound(request: UpstreamRequest): Reply {
  return errorReply(404, { message: `no script for ${request.method} ${request.path}` });
}

async function choose(script: Script, request: UpstreamRequest, index: number): Promise<Reply> {
  if (typeof script === "function") return script(request, index);
  if ("send" in script) return script;
  const reply = script[Math.min(index, script.length - 1)];
  if (reply === undefined) throw new Error("the script is an empty sequence");
  return reply;
}

/** Undefined when the client left before the body was complete. */
async function readAll(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

function record(incoming: IncomingMessage, response: ServerResponse, body: Buffer): UpstreamRequest {
  const url = incoming.url ?? "";
  const rawHeaders: [string, string][] = [];
  const headers: Record<string, string> = {};
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    const name = incoming.rawHeaders[index] ?? "";
    const value = incoming.rawHeaders[index + 1] ?? "";
    rawHeaders.push([name, value]);
    const known = headers[name.toLowerCase()];
    headers[name.toLowerCase()] = known === undefined ? value : `${known}, ${value}`;
  }
  let isAborted = false;
  const aborted = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  response.once("close", () => {
    if (!response.writableFinished) {
      isAborted = true;
      aborted.resolve();
    }
    closed.resolve();
  });
  return {
    method: incoming.method ?? "",
    url,
    path: url.split("?", 1)[0] ?? "",
    headers,
    rawHeaders,
    body,
    json: (): unknown => JSON.parse(body.toString("utf8")),
    aborted: aborted.promise,
    get isAborted() {
      return isAborted;
    },
    closed: closed.promise,
  };
}
