/** How long the event loop of another process makes its work wait: a preload that measures there, and what reads it here. */

import { appendFileSync, readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import type { Launch } from "./lanes.ts";

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const variable = "CCPROXY_BENCH_LOOP_DELAY";
const resolutionMs = 5;

/** The same launch, measured from inside; each SIGUSR2 writes a line and begins anew. */
export function withLoopDelay(launch: Launch, file: string): Launch {
  const { command } = launch;
  return {
    ...launch,
    command: {
      ...command,
      args: ["--import", fileURLToPath(import.meta.url), ...command.args],
      environment: { ...command.environment, [variable]: file },
    },
  };
}

/** What has been since the last call for this process, or since its start. */
export async function readLoopDelay(pid: number, file: string): Promise<LoopDelay> {
  const before = lines(file).length;
  process.kill(pid, "SIGUSR2");
  for (let tries = 0; tries < 500; tries++) {
    const line = lines(file)[before];
    if (line !== undefined) return JSON.parse(line);
    await delay(10);
  }
  throw new Error("the process does not say how its event loop fares");
}

function lines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

const file = process.env[variable];
if (file !== undefined && isMainThread) {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  // The histogram holds the whole time between two samples.
  const toMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs);
  process.on("SIGUSR2", () => {
    const found: LoopDelay = { p99Ms: toMs(histogram.percentile(99)), maxMs: toMs(histogram.max) };
    appendFileSync(file, `${JSON.stringify(found)}\n`);
    histogram.reset();
  });
}
