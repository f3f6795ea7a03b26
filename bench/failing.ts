/** Three deployments, one of which fails with nearly a third of its requests: what the client sees of that, and what it costs. */

import { randomUUID } from "node:crypto";
import { requestBody } from "./bodies.ts";
import { Connection, encodeRequest } from "./client.ts";
import type { RouterUpstreams } from "./router.ts";
import type { RunningLane } from "./running.ts";
import { percentile, sum } from "./statistics.ts";

export interface FailingResult {
  readonly lane: string;
  readonly requests: number;
  /** Share of the requests, 0 to 1, that got a whole reply. */
  readonly successRate: number;
  /** Attempts that the upstreams let down. */
  readonly upstreamFailures: number;
  /** Requests at the upstreams per request of a client. */
  readonly amplification: number;
  /** Beyond the same percentile of a run in which nothing failed. */
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What went wrong first, as the client saw it. */
  readonly firstFailure: string | undefined;
}

const failingShare = 0.3;
const atOnce = 8;

export async function measureFailing(lane: RunningLane, upstreams: RouterUpstreams, requests: number): Promise<FailingResult> {
  await upstreams.fail(0);
  await run(lane, Math.ceil(requests / 4));
  const healthy = await run(lane, requests);
  await upstreams.fail(failingShare);
  const failing = await run(lane, requests);
  const stats = await upstreams.stats();
  const [p50Ms, p99Ms] = [percentile(failing.totals, 0.5), percentile(failing.totals, 0.99)];
  return {
    lane: lane.name,
    requests,
    successRate: 1 - failing.failures.length / requests,
    upstreamFailures: stats.failed,
    amplification: sum(stats.requests) / requests,
    addedP50Ms: p50Ms - percentile(healthy.totals, 0.5),
    addedP99Ms: p99Ms - percentile(healthy.totals, 0.99),
    p50Ms,
    p99Ms,
    firstFailure: failing.failures[0] ?? healthy.failures[0],
  };
}

interface Run {
  /** Of all requests, failed ones too. */
  readonly totals: readonly number[];
  readonly failures: readonly string[];
}

async function run(lane: RunningLane, requests: number): Promise<Run> {
  const body = requestBody("50k", "stream");
  const totals: number[] = [];
  const failures: string[] = [];
  let left = requests;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const connection = new Connection(lane.port);
      while (left > 0) {
        left -= 1;
        // A session stays where its prompts are cached: each request is one of its own, so that all deployments are asked.
        const headers = { ...lane.headers, "x-claude-code-session-id": randomUUID() };
        const request = encodeRequest({ port: lane.port, path: "/v1/messages?beta=true", body, headers });
        const startedAt = performance.now();
        const failure = await connection.send(request).then(
          (reply) =>
            reply.status === 200 && reply.body.includes("event: message_stop")
              ? undefined
              : `status ${reply.status}: ${reply.body.toString("utf8", 0, 200)}`,
          (error: unknown) => String(error),
        );
        totals.push(performance.now() - startedAt);
        if (failure !== undefined) failures.push(failure);
      }
      connection.close();
    }),
  );
  return { totals, failures };
}
