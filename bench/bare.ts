/**
 * The yardstick: the leanest correct pass-through on Koa and undici. It parses nothing, knows no vendor and logs nothing.
 * Usage: `node bench/bare.ts <upstream url> <port>`.
 *
 * Of `pool.request`, `pool.stream`, `pool.pipeline` and `pool.dispatch` with handlers of the newer and of this kind,
 * this was the quickest at both body sizes: it alone gets the headers raw and builds no stream for the reply.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { pathToFileURL } from "node:url";
import Koa from "koa";
import { Pool, type Dispatcher } from "undici";

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** An app that sends every request to one origin and its reply back, both as they come. */
export function createBare(upstreamUrl: string): Koa {
  const pool = new Pool(upstreamUrl, { pipelining: 1, keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 0 });
  const app = new Koa();
  app.use((context) => {
    context.respond = false;
    const { req: request, res: response } = context;
    pool.dispatch(
      {
        method: request.method ?? "GET",
        path: request.url ?? "/",
        headers: endToEnd(request.rawHeaders),
        body: hasBody(request) ? request : null,
      },
      forwardTo(response),
    );
  });
  return app;
}

function forwardTo(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onConnect(abort) {
      if (response.destroyed) return abort();
      response.once("close", () => {
        if (!response.writableFinished) abort();
      });
    },
    onHeaders(status, headers, resume) {
      if (status < 200) return true;
      response.writeHead(status, endToEnd(headers.map(String)));
      response.on("drain", resume);
      return true;
    },
    // False pauses the upstream until the client has taken what is buffered.
    onData: (chunk) => response.write(chunk),
    onComplete: () => void response.end(),
    onError() {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  };
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
}

/** Raw names and values, alternating, without those that belong to one connection. */
function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [upstreamUrl, port] = process.argv.slice(2);
  if (upstreamUrl === undefined || port === undefined) throw new Error("usage: node bench/bare.ts <upstream url> <port>");
  createBare(upstreamUrl).listen(Number(port), "127.0.0.1");
}
