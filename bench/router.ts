/** The router under bad conditions: a deployment that fails, thousands of held streams, clients that hardly read. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installLitellm, litellmCommand, litellmReadyPath, litellmVersion } from "../scripts/litellm.ts";
import { benchModel } from "./bodies.ts";
import { type FailingResult, measureFailing } from "./failing.ts";
import { measureHeld, type HeldResult } from "./held.ts";
import { ccproxyLane, ccproxyStart, type LaneContext, type LaneSpec } from "./lanes.ts";
import { readLoopDelay, withLoopDelay } from "./loop-delay.ts";
import type { RouterUpstreamStats } from "./router-upstreams.ts";
import { startLane, type BenchUpstream, type RunningLane } from "./running.ts";
import { measureSlow, type SlowResult } from "./slow.ts";

export interface RouterEffort {
  /** Whether LiteLLM takes part; it is installed for that. */
  readonly withPeers: boolean;
  /** Requests to each lane with a failing deployment, and without; a tenth of them to a peer. */
  readonly requests: number;
  readonly streams: number;
  readonly holdMs: number;
  readonly slowReaders: number;
  /** Times that the slow ones are there and gone. */
  readonly rounds: number;
  readonly requestsPerRound: number;
}

export interface RouterResult {
  readonly failing: readonly FailingResult[];
  readonly held: HeldResult;
  readonly slow: SlowResult;
  readonly skipped: readonly { readonly lane: string; readonly reason: string }[];
}

export interface RouterUpstreams {
  readonly urls: readonly string[];
  /** The third one fails with this share of its requests from now on. Counts anew. */
  fail(share: number): Promise<void>;
  stats(): Promise<RouterUpstreamStats>;
  stop(): Promise<void>;
}

/** @throws Error when ccproxy does not start or answers wrongly */
export async function measureRouter(root: string, upstream: BenchUpstream, effort: RouterEffort): Promise<RouterResult> {
  const upstreams = await startRouterUpstreams(root);
  const skipped: { lane: string; reason: string }[] = [];
  const failing: FailingResult[] = [];
  try {
    const lanes = [ccproxyOverThree(upstreams.urls), litellmOverThree(upstreams.urls)];
    for (const spec of lanes.filter(({ isPeer }) => !isPeer || effort.withPeers)) {
      const lane = await startLane(spec, upstream, root);
      if (typeof lane === "string") {
        skipped.push({ lane: spec.name, reason: lane });
        continue;
      }
      await using stopping = stopAfter(lane);
      const requests = spec.isPeer ? Math.ceil(effort.requests / 10) : effort.requests;
      failing.push(await measureFailing(stopping.lane, upstreams, requests));
    }
    const slow = await withLane(ccproxyOverThree(upstreams.urls), upstream, root, (lane) =>
      measureSlow(lane, {
        root,
        readers: effort.slowReaders,
        rounds: effort.rounds,
        requestsPerRound: effort.requestsPerRound,
        settleMs: 60_000,
      }),
    );
    const held = await holdMany(root, upstream, effort);
    return { failing, held, slow, skipped };
  } finally {
    await upstreams.stop();
  }
}

async function holdMany(root: string, upstream: BenchUpstream, { streams, holdMs }: RouterEffort): Promise<HeldResult> {
  const folder = mkdtempSync(join(tmpdir(), "ccproxy-bench-loop-"));
  const file = join(folder, "loop-delay");
  const spec: LaneSpec = {
    ...ccproxyLane,
    async prepare(context) {
      const launch = await ccproxyLane.prepare(context);
      return "skipped" in launch ? launch : withLoopDelay(launch, file);
    },
  };
  try {
    return await withLane(spec, upstream, root, (lane) => measureHeld(lane, streams, holdMs, () => readLoopDelay(lane.pid, file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withLane<Result>(
  spec: LaneSpec,
  upstream: BenchUpstream,
  root: string,
  measure: (lane: RunningLane) => Promise<Result>,
): Promise<Result> {
  const lane = await startLane(spec, upstream, root);
  if (typeof lane === "string") throw new Error(lane);
  await using stopping = stopAfter(lane);
  return await measure(stopping.lane);
}

function stopAfter(lane: RunningLane): AsyncDisposable & { readonly lane: RunningLane } {
  return { lane, [Symbol.asyncDispose]: () => lane.stop() };
}

/** The same configuration for both. A stall is given up after half a second. */
function writeConfig({ directory }: LaneContext, urls: readonly string[]): string {
  const file = join(directory, "config.yaml");
  const deployments = urls.map(
    (url) =>
      `  - model_name: ${benchModel}\n    litellm_params: {model: anthropic/${benchModel}, api_base: "${url}", api_key: sk-ant-bench, stream_timeout: 0.5}\n`,
  );
  const settings = "litellm_settings: {telemetry: false}\nrouter_settings: {num_retries: 2}\n";
  writeFileSync(file, `model_list:\n${deployments.join("")}${settings}`, { mode: 0o600 });
  return file;
}

function ccproxyOverThree(urls: readonly string[]): LaneSpec {
  return {
    name: "ccproxy",
    forms: ["stream"],
    isPeer: false,
    prepare(context) {
      writeConfig(context, urls);
      writeFileSync(join(context.directory, "ccproxy.yaml"), "ccproxy: {default_model_passthrough: true}\n", { mode: 0o600 });
      return ccproxyStart(context);
    },
  };
}

function litellmOverThree(urls: readonly string[]): LaneSpec {
  return {
    name: "litellm",
    version: litellmVersion,
    forms: ["stream"],
    isPeer: true,
    prepare(context) {
      const program = installLitellm(context.cache);
      if (typeof program !== "string") return program;
      const config = writeConfig(context, urls);
      const command = litellmCommand(program, { config, port: context.port, home: context.directory });
      return { command, readyPath: litellmReadyPath, startTimeoutMs: 120_000 };
    },
  };
}

/** A process of their own. */
export async function startRouterUpstreams(root: string): Promise<RouterUpstreams> {
  const child: ChildProcess = spawn(process.execPath, [join(root, "bench/router-upstreams.ts")], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("the upstreams cannot be read");
  const [line]: Buffer[] = await once(child.stdout, "data");
  const ports: readonly number[] = JSON.parse(String(line));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  return {
    urls,
    fail: async (share) => void (await fetch(`${urls[0]}/share/${share}`, { method: "POST" })),
    stats: async () => JSON.parse(await (await fetch(`${urls[0]}/stats`)).text()),
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
