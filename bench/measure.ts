/** Measures lanes in turns: short slices, round after round, so that a noisy moment of the machine touches all alike. */

import { plainReply, requestBody, streamedReply, type BenchDialect, type BodySize, type ReplyForm } from "./bodies.ts";
import { Connection, encodeRequest, type Reply } from "./client.ts";
import type { RunningLane } from "./running.ts";
import { treeCpuMs, treeRssMb } from "./process.ts";
import { median, percentile, sum } from "./statistics.ts";

export interface Scenario {
  readonly size: BodySize;
  readonly form: ReplyForm;
  readonly concurrency: number;
}

export interface Effort {
  readonly rounds: number;
  /** A slice ends after this time or this many requests, whichever is first. */
  readonly sliceMs: number;
  readonly requestsPerSlice: number;
  /** Requests to each lane before anything is measured, per scenario of one at a time. */
  readonly warmUp: number;
}

/** Times in ms; undefined where direct was not measured beside it. */
export interface LaneResult {
  readonly lane: string;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstByteP50Ms: number;
  /** Median over the rounds of the difference to direct in the same round. */
  readonly addedP50Ms: number | undefined;
  readonly addedP99Ms: number | undefined;
  readonly addedFirstByteP50Ms: number | undefined;
  readonly requestsPerSecond: number;
  /** User and system time of all its processes. */
  readonly cpuMsPerRequest: number;
  /** Highest resident memory at the end of a slice. */
  readonly rssMb: number;
  /** Whether the upstream received the very bytes that the client sent. */
  readonly keepsRequestBytes: boolean;
  readonly failure: string | undefined;
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly lanes: readonly LaneResult[];
  /** Processor time of the load generator itself, ms per request to direct. */
  readonly generatorCpuMsPerRequest: number;
}

interface Slice {
  readonly totals: readonly number[];
  readonly firstBytes: readonly number[];
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly generatorCpuMs: number;
  readonly rssMb: number;
  readonly changedBodies: number;
}

/** A lane that answered wrongly is not measured any further; what it did is in `failure`. */
export async function measureScenario(scenario: Scenario, lanes: readonly RunningLane[], effort: Effort): Promise<ScenarioResult> {
  const slices = new Map<RunningLane, Slice[]>(lanes.map((lane) => [lane, []]));
  const failures = new Map<RunningLane, string>();
  for (let round = 0; round < effort.rounds; round++) {
    for (const lane of lanes) {
      if (failures.has(lane)) continue;
      // A slow peer would take the whole evening: a slice of it never costs more than about ten times the intended time.
      const done = slices.get(lane)?.at(-1);
      if (done !== undefined && done.elapsedMs > effort.sliceMs * 4 && round >= 2) continue;
      try {
        slices.get(lane)?.push(await measureSlice(scenario, lane, effort));
      } catch (error) {
        failures.set(lane, error instanceof Error ? error.message : String(error));
      }
    }
  }
  const direct = slices.get(lanes.find((lane) => lane.name === "direct") ?? lanes[0]!) ?? [];
  return {
    scenario,
    lanes: lanes.map((lane) => summarise(lane, slices.get(lane) ?? [], lane.name === "direct" ? [] : direct, failures.get(lane))),
    generatorCpuMsPerRequest:
      sum(direct.map((slice) => slice.generatorCpuMs)) / Math.max(1, sum(direct.map((slice) => slice.totals.length))),
  };
}

/** Sends requests until the compilers of all lanes have settled. */
export async function warmUp(scenario: Scenario, lane: RunningLane, effort: Effort): Promise<void> {
  await measureSlice(scenario, lane, { ...effort, requestsPerSlice: effort.warmUp, sliceMs: effort.sliceMs * 3 });
}

async function measureSlice(scenario: Scenario, lane: RunningLane, effort: Effort): Promise<Slice> {
  const request = encodeRequest({
    port: lane.port,
    path: lane.client === "anthropic" ? "/v1/messages?beta=true" : "/v1/chat/completions",
    body: requestBytes(scenario, lane.client),
    headers: lane.headers,
  });
  const expected = replyBytes(scenario.form, lane.client);
  const connections = Array.from({ length: scenario.concurrency }, () => new Connection(lane.port));
  await lane.upstream.mode(scenario.form);
  try {
    // The first replies are read whole; they also open the connections, on both sides of the lane.
    for (let round = 0; round < (scenario.concurrency === 1 ? 3 : 1); round++) {
      await Promise.all(
        connections.map(async (connection) =>
          check(await connection.send(request, { expected, keepBody: true }), scenario.form, lane.client, true),
        ),
      );
    }
    const before = await lane.upstream.stats();
    const totals: number[] = [];
    const firstBytes: number[] = [];
    let left = Math.max(effort.requestsPerSlice, scenario.concurrency);
    const cpuBefore = treeCpuMs(lane.pid);
    const generatorBefore = process.cpuUsage();
    const startedAt = performance.now();
    await Promise.all(
      connections.map(async (connection) => {
        while (left > 0 && performance.now() - startedAt < effort.sliceMs) {
          left -= 1;
          const reply = await connection.send(request, { expected });
          check(reply, scenario.form, lane.client, false);
          totals.push(reply.totalMs);
          firstBytes.push(reply.firstByteMs);
        }
      }),
    );
    const elapsedMs = performance.now() - startedAt;
    const generator = process.cpuUsage(generatorBefore);
    const cpuMs = treeCpuMs(lane.pid) - cpuBefore;
    const after = await lane.upstream.stats();
    if (after.requests - before.requests !== totals.length) {
      throw new Error(`${totals.length} replies came for ${after.requests - before.requests} requests at the upstream`);
    }
    const changedBodies = after.changedBodies - before.changedBodies;
    const generatorCpuMs = (generator.user + generator.system) / 1000;
    return { totals, firstBytes, elapsedMs, cpuMs, generatorCpuMs, rssMb: treeRssMb(lane.pid), changedBodies };
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** @throws Error when a reply is not the one that was asked for. */
function check(reply: Reply, form: ReplyForm, client: BenchDialect, isWhole: boolean): void {
  if (reply.status !== 200) throw new Error(`status ${reply.status}: ${reply.body.toString("utf8", 0, 200)}`);
  if (reply.isExact) return;
  // A lane that writes the reply anew is judged by what it says.
  const end = reply.body.toString();
  const ends =
    form === "stream" ? end.includes(client === "anthropic" ? "event: message_stop" : "data: [DONE]") : end.trimEnd().endsWith("}");
  if (!ends) throw new Error(`a reply of ${reply.bodyBytes} bytes does not end as it should: ${end.slice(-120)}`);
  if (isWhole && (!end.includes("piece 00 ") || !end.includes("piece 53 ")))
    throw new Error("a reply does not hold the text of the upstream");
}

function summarise(lane: RunningLane, slices: readonly Slice[], direct: readonly Slice[], failure: string | undefined): LaneResult {
  const totals = slices.flatMap((slice) => slice.totals);
  const requests = totals.length;
  return {
    lane: lane.name,
    requests,
    p50Ms: median(slices.map((slice) => percentile(slice.totals, 0.5))),
    p99Ms: percentile(totals, 0.99),
    firstByteP50Ms: median(slices.map((slice) => percentile(slice.firstBytes, 0.5))),
    addedP50Ms: added(slices, direct, (slice) => percentile(slice.totals, 0.5)),
    addedP99Ms:
      direct.length === 0
        ? undefined
        : percentile(totals, 0.99) -
          percentile(
            direct.flatMap((slice) => slice.totals),
            0.99,
          ),
    addedFirstByteP50Ms: added(slices, direct, (slice) => percentile(slice.firstBytes, 0.5)),
    requestsPerSecond: median(slices.map((slice) => (slice.totals.length / slice.elapsedMs) * 1000)),
    cpuMsPerRequest: sum(slices.map((slice) => slice.cpuMs)) / Math.max(1, requests),
    rssMb: Math.max(0, ...slices.map((slice) => slice.rssMb)),
    keepsRequestBytes: requests > 0 && slices.every((slice) => slice.changedBodies === 0),
    failure,
  };
}

function added(slices: readonly Slice[], direct: readonly Slice[], pick: (slice: Slice) => number): number | undefined {
  if (direct.length === 0) return undefined;
  const differences = slices.flatMap((slice, round) => {
    const beside = direct[round];
    return beside === undefined ? [] : [pick(slice) - pick(beside)];
  });
  return median(differences);
}

const cache = new Map<string, Buffer>();

function requestBytes(scenario: Scenario, client: BenchDialect): Buffer {
  return cached(`${scenario.size} ${scenario.form} ${client}`, () => requestBody(scenario.size, scenario.form, client));
}

function replyBytes(form: ReplyForm, client: BenchDialect): Buffer {
  return cached(`${form} ${client}`, () => (form === "stream" ? Buffer.concat(streamedReply(client)) : plainReply(client)));
}

function cached(key: string, make: () => Buffer): Buffer {
  const known = cache.get(key) ?? make();
  cache.set(key, known);
  return known;
}
