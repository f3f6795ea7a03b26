/**
 * Three upstreams of one process that speak Anthropic Messages; the third fails with a share of its requests, each time in another way.
 * Prints their ports as JSON. `GET /stats` and `POST /share/<0…1>` at any of them; a request for `?endless` is answered without an end.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { streamedReply } from "./bodies.ts";

export interface RouterUpstreamStats {
  /** Requests for a reply since the share was set, by upstream. */
  readonly requests: readonly number[];
  /** Those that were let down. */
  readonly failed: number;
}

type Fault = (response: ServerResponse) => void;

const events = streamedReply();
const faults: readonly Fault[] = [
  (response) => {
    const body = JSON.stringify({ type: "error", error: { type: "api_error", message: "Internal server error" } });
    response.writeHead(500, { "content-type": "application/json", "content-length": body.length }).end(body);
  },
  (response) => void response.socket?.resetAndDestroy(),
  // Until whoever asked gives up.
  () => undefined,
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n');
  },
];

let share = 0;
let requests = [0, 0, 0];
let failed = 0;
/** The same sequence in each run. https://en.wikipedia.org/wiki/Linear_congruential_generator (Numerical Recipes) */
let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

async function answer(index: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? "";
  if (request.method === "GET") {
    const stats: RouterUpstreamStats = { requests, failed };
    response.end(JSON.stringify(stats));
    return;
  }
  if (url.startsWith("/share/")) {
    share = Number(url.slice("/share/".length));
    requests = [0, 0, 0];
    failed = 0;
    seed = 1;
    response.end();
    return;
  }
  request.resume();
  await once(request, "end");
  requests[index] = (requests[index] ?? 0) + 1;
  if (index === 2 && random() < share) {
    const fault = faults[failed % faults.length];
    failed += 1;
    fault?.(response);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  if (url.includes("endless")) sendEndlessly(response);
  else sendEvents(response);
}

/** Each in a turn of its own. */
function sendEvents(response: ServerResponse): void {
  let index = 0;
  const next = (): void => {
    if (response.destroyed) return;
    response.write(events[index] ?? "");
    index += 1;
    if (index < events.length) setImmediate(next);
    else response.end();
  };
  next();
}

/**
 * Two megabytes as fast as they are taken, then one event a second. More would fill what the kernel has for all of TCP (`net.ipv4.tcp_mem`), and
 * what was measured would be its lost packets.
 */
function sendEndlessly(response: ServerResponse): void {
  for (const event of events.slice(0, 3)) response.write(event);
  const deltas = Buffer.concat(events.slice(3, 53));
  let left = 2 ** 21;
  const more = (): void => {
    if (response.destroyed) return;
    if (left <= 0) {
      setTimeout(more, 1000);
      response.write(events[3] ?? "");
      return;
    }
    left -= deltas.length;
    // A turn each, so that one stream does not keep the others waiting.
    if (response.write(deltas)) setImmediate(more);
    else response.once("drain", more);
  };
  more();
}

const ports: number[] = [];
for (const index of requests.keys()) {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    response.on("error", () => undefined);
    answer(index, request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address !== null && typeof address === "object") ports.push(address.port);
}
process.stdout.write(`${JSON.stringify(ports)}\n`);
