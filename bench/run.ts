/** `npm run bench`: measures ccproxy against its upstream, a bare pass-through and its peers. See README.md beside this. */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ccproxyBlindLane, ccproxyKeysLane, ccproxyServersLane } from "./accounting.ts";
import { measureHeld, type HeldResult } from "./held.ts";
import {
  bareLane,
  ccproxyFromChatLane,
  ccproxyLane,
  ccproxyRulesLane,
  ccproxyToChatLane,
  ccproxyUserLane,
  nginxLane,
  type LaneSpec,
} from "./lanes.ts";
import { measureScenario, warmUp, type Effort, type Scenario, type ScenarioResult } from "./measure.ts";
import { claudeCodeRouterLane, litellmLane, litellmToChatLane, portkeyFromChatLane, portkeyLane } from "./peers.ts";
import { renderReport, type Report } from "./report.ts";
import { measureRouter, type RouterEffort, type RouterResult } from "./router.ts";
import { measureSandbox, type SandboxResult } from "./sandbox.ts";
import { measureTranslation, type TranslationCost } from "./translation.ts";
import { directLane, startBenchUpstream, startLane, type RunningLane } from "./running.ts";
import { median } from "./statistics.ts";
import { judge, type StartResult } from "./targets.ts";

const help = `npm run bench -- [options]

  --smoke            direct, bare and ccproxy with few requests; fails on wrong replies, never on time
  --only a,b         these only: direct, bare, ccproxy, ccproxy+rules, ccproxy+user, ccproxy−spend, ccproxy+keys, ccproxy+servers, nginx, claude-code-router, portkey, litellm,
                     ccproxy→chat, litellm→chat, chat→ccproxy, chat→portkey, translation, sandbox, router; "translated": direct, bare, and these but the last
  --sizes 50k,1m     these bodies only
  --concurrency 1,16 these only
  --rounds N         slices per lane and scenario (7)
  --slice-ms N       length of a slice (1000)
  --streams N        held streams (1000); 0 leaves them out
  --name NAME        write bench/results/<date>-NAME.json; a full run does without asking
  --json             the report as JSON on stdout instead of tables
`;

const allLanes: readonly LaneSpec[] = [
  bareLane,
  ccproxyLane,
  ccproxyRulesLane,
  ccproxyUserLane,
  ccproxyBlindLane,
  ccproxyKeysLane,
  ccproxyServersLane,
  nginxLane,
  claudeCodeRouterLane,
  portkeyLane,
  litellmLane,
  ccproxyToChatLane,
  litellmToChatLane,
  ccproxyFromChatLane,
  portkeyFromChatLane,
];
const routerEffort: RouterEffort = {
  withPeers: true,
  requests: 3000,
  streams: 5000,
  holdMs: 10_000,
  slowReaders: 500,
  rounds: 4,
  requestsPerRound: 1500,
};
const smallRouterEffort: RouterEffort = {
  withPeers: false,
  requests: 120,
  streams: 50,
  holdMs: 1500,
  slowReaders: 20,
  rounds: 1,
  requestsPerRound: 60,
};
/** Measured without a lane. */
const parts: ReadonlySet<string> = new Set(["translation", "sandbox", "router"]);
const translatedNames: readonly string[] = [
  "direct",
  "bare",
  ...allLanes.filter((lane) => lane.isTranslated).map((lane) => lane.name),
  "translation",
];
const root = fileURLToPath(new URL("..", import.meta.url));

const { values: options } = parseArgs({
  options: {
    smoke: { type: "boolean", default: false },
    only: { type: "string" },
    sizes: { type: "string" },
    concurrency: { type: "string" },
    rounds: { type: "string" },
    "slice-ms": { type: "string" },
    streams: { type: "string" },
    name: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (options.help) process.stdout.write(help);
else await main();

async function main(): Promise<void> {
  const wanted =
    options.only?.split(",").flatMap((name) => (name === "translated" ? translatedNames : [name])) ??
    (options.smoke
      ? ["direct", "bare", "ccproxy", "ccproxy→chat", "translation", "sandbox", "router"]
      : ["direct", ...allLanes.map((lane) => lane.name), "translation", "sandbox", "router"]);
  const unknown = wanted.filter((name) => !parts.has(name) && name !== "direct" && !allLanes.some((lane) => lane.name === name));
  if (unknown.length > 0) throw new Error(`unknown lanes: ${unknown.join(", ")}\n${help}`);
  const specs = allLanes.filter((lane) => wanted.includes(lane.name));
  const effort: Effort = {
    rounds: Number(options.rounds ?? (options.smoke ? 2 : 7)),
    sliceMs: Number(options["slice-ms"] ?? (options.smoke ? 500 : 1000)),
    requestsPerSlice: options.smoke ? 40 : 2000,
    warmUp: options.smoke ? 20 : 1500,
  };
  const streams = Number(options.streams ?? (options.smoke ? 50 : 1000));

  const upstream = await startBenchUpstream(root);
  const skipped: { lane: string; reason: string }[] = [];
  const failed: { lane: string; reason: string }[] = [];
  const launched = new Map<string, RunningLane[]>();
  const running: RunningLane[] = [directLane(upstream)];
  const start = async (spec: LaneSpec): Promise<RunningLane | undefined> => {
    progress(`starting ${spec.name}`);
    try {
      const lane = await startLane(spec, upstream, root);
      if (typeof lane === "string") skipped.push({ lane: spec.name, reason: lane });
      else {
        launched.set(spec.name, [...(launched.get(spec.name) ?? []), lane]);
        return lane;
      }
    } catch (error) {
      failed.push({ lane: spec.name, reason: error instanceof Error ? error.message : String(error) });
    }
    return undefined;
  };

  const held: HeldResult[] = [];
  let sandbox: SandboxResult | undefined;
  let router: RouterResult | undefined;
  let translation: readonly TranslationCost[] = [];
  let scenarios: readonly ScenarioResult[] = [];
  try {
    for (const spec of specs) {
      let lane = await start(spec);
      // Starts of our own are quick, and the median of a few is steadier than one.
      for (let count = 0; count < 4 && lane !== undefined && !spec.isPeer && !options.smoke; count++) {
        await lane.stop();
        lane = await start(spec);
      }
      if (lane !== undefined) running.push(lane);
    }
    if (wanted.some((name) => !parts.has(name))) scenarios = await measureAll(running, effort);
    await stopAll(running.splice(1));
    if (wanted.includes("translation")) {
      progress("measuring translation");
      translation = await measureTranslation(options.smoke ? 40 : 400);
    }
    if (wanted.includes("sandbox")) {
      progress("measuring the sandbox");
      const sandboxEffort = { rounds: options.smoke ? 2 : 5, runs: options.smoke ? 40 : 1000, eventSeconds: options.smoke ? 1 : 5 };
      try {
        sandbox = await measureSandbox(sandboxEffort);
      } catch (error) {
        failed.push({ lane: "sandbox", reason: error instanceof Error ? error.message : String(error) });
      }
    }
    if (wanted.includes("router")) {
      progress("measuring the router");
      try {
        router = await measureRouter(root, upstream, options.smoke ? smallRouterEffort : routerEffort);
        skipped.push(...router.skipped.map(({ lane, reason }) => ({ lane: `${lane}, three deployments`, reason })));
      } catch (error) {
        failed.push({ lane: "router", reason: error instanceof Error ? error.message : String(error) });
      }
    }
    if (streams > 0) {
      for (const spec of specs) {
        if (
          !spec.forms.includes("stream") ||
          spec.isTranslated === true ||
          skipped.some(({ lane }) => lane === spec.name) ||
          failed.some(({ lane }) => lane === spec.name)
        )
          continue;
        const lane = await start(spec);
        if (lane === undefined) continue;
        running.push(lane);
        progress(`holding ${streams} streams through ${spec.name}`);
        try {
          held.push(await measureHeld(lane, streams, options.smoke ? 2500 : 10_000));
        } catch (error) {
          failed.push({ lane: spec.name, reason: `held streams: ${error instanceof Error ? error.message : String(error)}` });
        }
        await stopAll(running.splice(1));
      }
    }
  } finally {
    await stopAll(running.splice(1));
    await upstream.stop();
  }

  for (const { scenario, lanes } of scenarios) {
    // Printed with the scenario already; here once, for the exit code and the JSON.
    for (const { lane, failure } of lanes) {
      if (failure !== undefined && !failed.some((known) => known.lane === lane))
        failed.push({ lane, reason: `first in ${describe(scenario)}: ${failure}` });
    }
  }
  for (const result of router === undefined ? held : [...held, router.held]) {
    if (result.failure !== undefined || result.broken > 0)
      failed.push({ lane: result.lane, reason: `${result.broken} held streams broke. ${result.failure ?? ""}` });
  }
  const starts = [...launched].map(([lane, all]): StartResult => ({
    lane,
    version: all[0]?.version,
    startMs: median(all.map((one) => one.startMs)),
    idleRssMb: median(all.map((one) => one.idleRssMb)),
  }));
  const targets = judge({ scenarios, starts, held, sandbox, router, translation });
  const notes = specs.flatMap((spec) => (spec.note === undefined ? [] : [`${spec.name}: ${spec.note}`]));
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 1024 ** 3),
      platform: `${process.platform}-${process.arch}`,
      node: process.versions.node,
    },
    options: { ...effort, streams, smoke: options.smoke, lanes: wanted.join(",") },
    targets,
    scenarios,
    starts,
    held,
    sandbox,
    router,
    translation,
    notes,
    skipped,
    failed,
  };
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : renderReport(report));
  const name = options.name ?? (options.smoke || options.only !== undefined ? undefined : "full");
  if (name !== undefined) writeResult(report, name);
  // Peers may fail, and time never fails a run; a wrong reply of ours does.
  if (failed.some(({ lane }) => allLanes.every((spec) => spec.name !== lane || !spec.isPeer))) process.exitCode = 1;
}

async function measureAll(lanes: readonly RunningLane[], effort: Effort): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  const warmed = new Set<string>();
  for (const scenario of scenariosToRun()) {
    const able = lanes.filter((lane) => lane.forms.includes(scenario.form) && (!lane.isTranslated || scenario.concurrency === 1));
    const kind = `${scenario.size} ${scenario.form}`;
    if (!warmed.has(kind)) {
      warmed.add(kind);
      progress(`warming up for ${kind}`);
      // What goes wrong here goes wrong again below, where it is recorded.
      for (const lane of able) await warmUp({ ...scenario, concurrency: 1 }, lane, effort).catch(() => undefined);
    }
    progress(`measuring ${describe(scenario)}`);
    results.push(await measureScenario(scenario, able, effort));
  }
  return results;
}

function scenariosToRun(): readonly Scenario[] {
  const sizes = (options.sizes?.split(",") ?? ["50k", "1m"]).filter((size) => size === "50k" || size === "1m");
  const concurrency = (options.concurrency?.split(",") ?? (options.smoke ? ["1", "16"] : ["1", "16", "64"])).map(Number);
  const plain = concurrency.filter((count) => count === 1 || (count === 16 && !options.smoke));
  return sizes.flatMap((size): Scenario[] =>
    [
      { form: "stream" as const, counts: concurrency },
      { form: "plain" as const, counts: plain },
    ].flatMap(({ form, counts }) => counts.map((count) => ({ size, form, concurrency: count }))),
  );
}

function describe(scenario: Scenario): string {
  return `${scenario.size} ${scenario.form} c=${scenario.concurrency}`;
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function stopAll(lanes: readonly RunningLane[]): Promise<void> {
  await Promise.all(lanes.map((lane) => lane.stop()));
}

function writeResult(report: Report, name: string): void {
  const folder = join(root, "bench/results");
  mkdirSync(folder, { recursive: true });
  const file = `${report.date}-${name}.json`;
  writeFileSync(join(folder, file), `${JSON.stringify(report, undefined, 1)}\n`);
  progress(`wrote bench/results/${file}`);
}
