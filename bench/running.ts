/** Starts the upstream and the lanes, and keeps what is needed to ask and to stop them. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchDialect, ReplyForm } from "./bodies.ts";
import type { LaneSpec } from "./lanes.ts";
import { freePort, startServerProcess, treeRssMb } from "./process.ts";
import type { UpstreamMode, UpstreamStats } from "./upstream.ts";

export interface BenchUpstream {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  mode(mode: UpstreamMode): Promise<void>;
  stats(): Promise<UpstreamStats>;
  stop(): Promise<void>;
}

export interface RunningLane {
  readonly name: string;
  readonly version: string | undefined;
  readonly forms: readonly ReplyForm[];
  readonly client: BenchDialect;
  readonly isTranslated: boolean;
  readonly isPeer: boolean;
  readonly port: number;
  readonly pid: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly upstream: BenchUpstream;
  /** NaN for direct. */
  readonly startMs: number;
  /** Before any traffic; NaN for direct. */
  readonly idleRssMb: number;
  stop(): Promise<void>;
}

export async function startBenchUpstream(root: string): Promise<BenchUpstream> {
  const child = spawn(process.execPath, [join(root, "bench/upstream.ts")], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    pid: child.pid ?? 0,
    mode: async (mode) => void (await fetch(`${url}/mode/${mode}`, { method: "POST" })),
    stats: async () => (await (await fetch(`${url}/stats`)).json()) as UpstreamStats,
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** The upstream itself, asked without anything between. */
export function directLane(upstream: BenchUpstream): RunningLane {
  return {
    name: "direct",
    version: undefined,
    forms: ["stream", "plain"],
    client: "anthropic",
    isTranslated: false,
    isPeer: false,
    port: upstream.port,
    pid: upstream.pid,
    headers: {},
    upstream,
    startMs: Number.NaN,
    idleRssMb: Number.NaN,
    stop: async () => undefined,
  };
}

/**
 * @returns the running lane, or in one line why there is none.
 * @throws Error when it should run but does not.
 */
export async function startLane(spec: LaneSpec, upstream: BenchUpstream, root: string): Promise<RunningLane | string> {
  const outer = mkdtempSync(join(tmpdir(), `ccproxy-bench-${spec.name.replaceAll(/\W/g, "-")}-`));
  // Two levels down: a lane that watches its folder and the one above must see neither others' files nor its own output.
  const directory = join(outer, "home/lane");
  mkdirSync(directory, { recursive: true });
  const cache = join(root, ".cache/ccproxy-bench");
  mkdirSync(cache, { recursive: true });
  const port = await freePort();
  const remove = (): void => rmSync(outer, { recursive: true, force: true });
  try {
    const launch = await spec.prepare({ upstreamUrl: upstream.url, port, directory, root, cache });
    if ("skipped" in launch) {
      remove();
      return launch.skipped;
    }
    const ready = { port, path: launch.readyPath, timeoutMs: launch.startTimeoutMs ?? 15_000 };
    const child = await startServerProcess(launch.command, ready, join(outer, "output.log"));
    // What is loaded on the first idle turns belongs to the start.
    await delay(1500);
    return {
      name: spec.name,
      version: spec.version,
      forms: spec.forms,
      client: spec.client ?? "anthropic",
      isTranslated: spec.isTranslated ?? false,
      isPeer: spec.isPeer,
      port,
      pid: child.pid,
      headers: launch.headers ?? {},
      upstream,
      startMs: child.startMs,
      idleRssMb: treeRssMb(child.pid),
      async stop() {
        await child.stop();
        await launch.cleanUp?.();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
