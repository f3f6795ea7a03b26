/** A server that drains one queue of the test's own to whoever asks. */

import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ClientGone } from "../../core/body/collect.ts";
import type { Reply } from "../../core/exchange.ts";
import { type Drained, drain } from "../../core/stream/drain.ts";
import type { BeforeEnd } from "../../core/stream/last-word.ts";
import { ByteQueue } from "../../core/upstream/byte-queue.ts";
import { encodeStreamError } from "../../plugins/anthropic/errors.ts";
import { watchReply } from "../../plugins/anthropic/reply.ts";
import type { Ingress } from "../../sdk/dialect.ts";
import { encodeEvent } from "./events.ts";

const servers: Server[] = [];

/** Ends every server made here. */
export function closeServed(): void {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
}

export interface Served {
  readonly base: string;
  readonly queue: ByteQueue;
  readonly abort: AbortController;
  readonly drained: Promise<Drained>;
  /** Of the first request, once it is there. */
  readonly response: Promise<ServerResponse>;
  readonly source: { paused: number; resumed: number; aborted: number };
}

export const ping: Buffer = encodeEvent({ type: "ping" });

export interface ServeOptions {
  /** Of another dialect. */
  readonly ingress?: Ingress;
  /** For how long the caller was told nothing before, ms. */
  readonly quietMs?: number;
  readonly beforeEnd?: BeforeEnd;
}

/** Answers 200 with the queue, as an event stream of the protocol, as JSON, or as a stream nobody looks into. */
export async function serve(
  kind: "stream" | "json" | "unwatched" = "stream",
  headers: Reply["headers"] = [],
  { ingress, quietMs = 0, beforeEnd }: ServeOptions = {},
): Promise<Served> {
  const source = { paused: 0, resumed: 0, aborted: 0 };
  const queue = new ByteQueue({ pause: () => source.paused++, resume: () => source.resumed++, abort: () => source.aborted++ });
  const abort = new AbortController();
  abort.signal.addEventListener("abort", () => queue.fail(abort.signal.reason));
  const drained = Promise.withResolvers<Drained>();
  const first = Promise.withResolvers<ServerResponse>();
  const contentType = kind === "json" ? "application/json" : "text/event-stream";
  const server = createServer((_, response) => {
    response.on("error", () => undefined);
    response.once("close", () => abort.abort(new ClientGone("the client closed the connection")));
    first.resolve(response);
    const reply: Reply = {
      status: 200,
      headers: [["content-type", contentType], ...headers],
      body: queue,
      isEventStream: kind !== "json",
      format: "client",
    };
    void drain(response, reply, {
      watch: kind === "unwatched" ? undefined : (ingress?.watch(contentType) ?? watchReply(contentType)),
      ping: ingress?.ping ?? ping,
      pingAfterMs: 10_000,
      stuckAfterMs: 120_000,
      quietSince: performance.now() - quietMs,
      encodeStreamError: (error) => ingress?.encodeStreamError(error) ?? encodeStreamError(error),
      beforeEnd,
      signal: abort.signal,
      now: () => performance.now(),
    }).then(drained.resolve, drained.reject);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { base, queue, abort, drained: drained.promise, response: first.promise, source };
}
