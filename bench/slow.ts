/** Clients that take a kilobyte a second, and what the others notice of them. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { requestBody } from "./bodies.ts";
import { Connection, encodeRequest } from "./client.ts";
import { treeCpuMs, treeRssMb } from "./process.ts";
import type { RunningLane } from "./running.ts";
import { percentile } from "./statistics.ts";

export interface SlowResult {
  readonly lane: string;
  readonly readers: number;
  readonly requests: number;
  /** Of the others' requests, while the slow ones were not there, and while they were. */
  readonly aloneP50Ms: number;
  readonly aloneP99Ms: number;
  readonly besideP50Ms: number;
  readonly besideP99Ms: number;
  /** What the slow ones take of the lane's memory, KB each. */
  readonly rssKbPerReader: number;
}

export interface SlowOptions {
  readonly root: string;
  readonly readers: number;
  readonly rounds: number;
  readonly requestsPerRound: number;
  /** The longest that is waited until all that buffers between the two ends has filled, some megabytes for each in the kernel alone. */
  readonly settleMs: number;
}

const atOnce = 4;
/** Of a second. */
const restingCpuMs = 100;

/** In turns with and without, so that a noisy moment of the machine touches both. */
export async function measureSlow(
  lane: RunningLane,
  { root, readers, rounds, requestsPerRound, settleMs }: SlowOptions,
): Promise<SlowResult> {
  const alone: number[] = [];
  const beside: number[] = [];
  let rssKbPerReader = Number.NaN;
  // Until the code of all processes is warm.
  await ask(lane, 2 * requestsPerRound);
  for (let round = 0; round < rounds; round++) {
    alone.push(...(await ask(lane, requestsPerRound)));
    const before = treeRssMb(lane.pid);
    await using _slow = await openSlowReaders(root, lane.port, readers);
    await settled(lane, settleMs);
    if (round === 0) rssKbPerReader = ((treeRssMb(lane.pid) - before) * 1024) / readers;
    beside.push(...(await ask(lane, requestsPerRound)));
  }
  return {
    lane: lane.name,
    readers,
    requests: alone.length + beside.length,
    aloneP50Ms: percentile(alone, 0.5),
    aloneP99Ms: percentile(alone, 0.99),
    besideP50Ms: percentile(beside, 0.5),
    besideP99Ms: percentile(beside, 0.99),
    rssKbPerReader,
  };
}

/** Until the lane has next to nothing to do. @throws Error when it goes on for longer than it may */
async function settled({ pid, name }: RunningLane, longestMs: number): Promise<void> {
  for (const startedAt = performance.now(); performance.now() - startedAt < longestMs;) {
    const before = treeCpuMs(pid);
    await delay(1000);
    if (treeCpuMs(pid) - before < restingCpuMs) return;
  }
  throw new Error(`${name} was still busy with the slow readers after ${longestMs / 1000} s`);
}

/** @returns the time of each request, ms. @throws Error for a reply that is not whole */
async function ask(lane: RunningLane, requests: number): Promise<readonly number[]> {
  const request = encodeRequest({
    port: lane.port,
    path: "/v1/messages?beta=true",
    body: requestBody("50k", "stream"),
    headers: lane.headers,
  });
  const totals: number[] = [];
  let left = requests;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const connection = new Connection(lane.port);
      while (left > 0) {
        left -= 1;
        const { status, body, totalMs } = await connection.send(request);
        if (status !== 200 || !body.includes("event: message_stop")) throw new Error(`status ${status}: ${body.toString("utf8", 0, 200)}`);
        totals.push(totalMs);
      }
      connection.close();
    }),
  );
  return totals;
}

async function openSlowReaders(root: string, port: number, count: number): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [join(root, "bench/slow-readers.ts"), String(port), String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const opened = await Promise.race([once(child.stdout, "data").then(() => true), once(child, "exit").then(() => false)]);
  if (!opened) throw new Error(`${count} slow readers could not be opened`);
  return {
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
