/** Measures what rules and hooks in the sandbox cost the proxy: time and processor per request and per event, starts, memory. */

import { setTimeout as delay } from "node:timers/promises";
import { createSandbox } from "../core/sandbox/create-sandbox.ts";
import { createHost } from "../core/sandbox/host.ts";
import type { LoadedProgram, PhaseOutcome, Sandbox } from "../core/sandbox/sandbox.ts";
import { readHostProgram } from "../core/sandbox-program.ts";
import { createRequestBody } from "../core/body/request-body.ts";
import { partsOf, patchBody } from "../core/phases/body-parts.ts";
import type { Logger } from "../sdk/log.ts";
import { claudeCodeBody } from "../test/helpers/claude-body.ts";
import { benchModel } from "./bodies.ts";
import { benchContext, readFacts } from "./sandbox-context.ts";
import { measureEvents, type EventCost } from "./sandbox-events.ts";
import { type CaseName, sandboxCases, type SandboxCase, unit } from "./sandbox-cases.ts";
import { median, percentile } from "./statistics.ts";

export type SandboxBodySize = "20k" | "200k" | "2m";

export interface SandboxCost {
  readonly name: CaseName;
  readonly size: SandboxBodySize;
  /** Scan of the body, facts, the run, and the new body where there is one; median of the rounds' medians. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the proxy's process, for the same. */
  readonly cpuMs: number;
  /** In this process: parsed and written whole where the body is edited. */
  readonly inProcessP50Ms: number;
  readonly inVmP50Ms: number | undefined;
}

export interface SandboxResult {
  readonly costs: readonly SandboxCost[];
  readonly events: EventCost;
  /** From the spawn until it takes work. */
  readonly hostStartMs: number;
  /** The first load of a program with one rule, hosts and all; and the one of another version. */
  readonly firstLoadMs: number;
  readonly reloadMs: number;
  /** Both hosts with one rule and one hook, after work on bodies of all sizes. */
  readonly hostsRssMb: number;
  readonly hostsIdleRssMb: number;
  /** In one host. */
  readonly rssKbPerHook: number;
  readonly rssKbPerRule: number;
}

export interface SandboxEffort {
  readonly rounds: number;
  /** Per round, case and size. */
  readonly runs: number;
  readonly eventSeconds: number;
}

const sizes: Readonly<Record<SandboxBodySize, number>> = { "20k": 20 * 1024, "200k": 200 * 1024, "2m": 2 * 1024 * 1024 };
const quiet = (): void => undefined;
const complain = (_fields: unknown, message?: string): void => void process.stderr.write(`sandbox: ${message ?? ""}\n`);
const logger: Logger = { debug: quiet, info: quiet, warn: complain, error: complain };

/** @throws Error when anything does not come out as it should */
export async function measureSandbox(effort: SandboxEffort): Promise<SandboxResult> {
  const hostStartMs = await measureHostStart(effort.rounds);
  const sandbox = createSandbox({ logger, hostProgram: readHostProgram });
  try {
    const { firstLoadMs, reloadMs } = await measureLoads(sandbox, effort.rounds);
    const hostsIdleRssMb = await bothHostsRssMb(sandbox);
    const costs: SandboxCost[] = [];
    for (const item of sandboxCases()) {
      const program = await sandbox.load(item.units);
      for (const [size, bytes] of Object.entries(sizes))
        costs.push(await measureCase(item, size as SandboxBodySize, bytes, program, effort));
      program.release();
    }
    const events = await measureEvents(sandbox, effort.eventSeconds);
    const hostsRssMb = await measureHosts(effort.runs);
    return { costs, events, hostStartMs, firstLoadMs, reloadMs, hostsRssMb, hostsIdleRssMb, ...(await measureFileMemory()) };
  } finally {
    await sandbox.close();
  }
}

async function measureCase(
  item: SandboxCase,
  size: SandboxBodySize,
  bodyBytes: number,
  program: LoadedProgram,
  { rounds, runs }: SandboxEffort,
): Promise<SandboxCost> {
  const bytes = claudeCodeBody({ model: benchModel, bytes: bodyBytes });
  const count = Math.max(20, Math.ceil(runs / (bodyBytes / sizes["20k"]) ** 0.5));
  const units = item.units.map(({ unit }) => unit);
  for (let index = 0; index < count; index++) await request(item, program, units, bytes);
  const all: number[] = [];
  const medians: number[] = [];
  let cpuUs = 0;
  for (let round = 0; round < rounds; round++) {
    const samples: number[] = [];
    const before = process.cpuUsage();
    for (let index = 0; index < count; index++) {
      const since = performance.now();
      await request(item, program, units, bytes);
      samples.push(performance.now() - since);
    }
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    medians.push(median(samples));
    all.push(...samples);
  }
  return {
    name: item.name,
    size,
    p50Ms: median(medians),
    p99Ms: percentile(all, 0.99),
    cpuMs: cpuUs / 1000 / (rounds * count),
    inProcessP50Ms: measureHere(() => item.inProcess(bytes), count),
    inVmP50Ms: item.inVm === undefined ? undefined : measureHere(() => item.inVm?.(bytes) === true, count),
  };
}

function measureHere(run: () => boolean, count: number): number {
  const samples: number[] = [];
  for (let index = 0; index < 2 * count; index++) {
    const since = performance.now();
    if (!run()) throw new Error("the same without a sandbox did something else");
    samples.push(performance.now() - since);
  }
  return median(samples.slice(count));
}

const signal = new AbortController().signal;
const noOperations = { run: (): Promise<never> => Promise.reject(new Error("no operation is expected")) };

/** One request as the stages see it, from the bytes on. */
async function request(item: SandboxCase, program: LoadedProgram, units: readonly number[], bytes: Buffer): Promise<void> {
  const body = createRequestBody(bytes);
  const facts = readFacts(body);
  const outcomes = await program.run({
    phase: item.phase,
    units,
    context: benchContext(facts),
    stores: () => undefined,
    body: partsOf(body, facts),
    operations: noOperations,
    signal,
  });
  for (const outcome of outcomes) checkOutcome(outcome);
  if (outcomes.length !== units.length) throw new Error(`${outcomes.length} outcomes of ${units.length} units`);
  const patch = outcomes[0]?.patch;
  if ((patch === undefined) !== (item.phase === "rule")) throw new Error(`${item.name} did not do what it should`);
  if (patch !== undefined && patchBody(body, patch, 2 ** 25).body.bytes.length === 0) throw new Error("nothing is left");
}

function checkOutcome({ lost, error, verdict }: PhaseOutcome): void {
  if (lost !== undefined || error !== undefined) throw new Error(`a run failed: ${lost ?? error?.message}`);
  if (verdict === true) throw new Error("a rule matched that should not");
}

async function measureHostStart(rounds: number): Promise<number> {
  const program = await readHostProgram();
  const samples: number[] = [];
  for (let round = 0; round < Math.max(5, rounds); round++) {
    const since = performance.now();
    const ready = Promise.withResolvers<void>();
    const host = createHost({
      program,
      logger,
      wallClock: Date.now,
      onReady: () => ready.resolve(),
      onLost: (_by, why) => ready.reject(new Error(`a host was lost: ${why}`)),
    });
    await ready.promise;
    samples.push(performance.now() - since);
    host.close();
    await host.exited;
  }
  return median(samples);
}

async function measureLoads(sandbox: Sandbox, rounds: number): Promise<{ readonly firstLoadMs: number; readonly reloadMs: number }> {
  const units = sandboxCases()[0]?.units ?? [];
  const since = performance.now();
  await sandbox.load(units);
  const firstLoadMs = performance.now() - since;
  await spareIsThere(sandbox);
  const samples: number[] = [];
  for (let round = 0; round < Math.max(5, rounds); round++) {
    const begun = performance.now();
    const program = await sandbox.load(units);
    samples.push(performance.now() - begun);
    // The other host loads it behind this one.
    await delay(50);
    program.release();
  }
  return { firstLoadMs, reloadMs: median(samples) };
}

async function measureHosts(runs: number): Promise<number> {
  const [rule, , , hook] = sandboxCases();
  if (rule === undefined || hook === undefined) throw new Error("the cases have changed");
  const sandbox = createSandbox({ logger, hostProgram: readHostProgram });
  try {
    const both = [...rule.units, ...hook.units.map((one) => ({ ...one, unit: 1 }))];
    const program = await sandbox.load(both);
    for (const size of Object.values(sizes)) {
      const bytes = claudeCodeBody({ model: benchModel, bytes: size });
      for (let run = 0; run < runs / 5; run++) {
        await request(rule, program, [0], bytes);
        await request(hook, program, [1], bytes);
      }
    }
    return await bothHostsRssMb(sandbox);
  } finally {
    await sandbox.close();
  }
}

/** So many files in one sandbox, less an empty one. */
async function measureFileMemory(): Promise<{ readonly rssKbPerHook: number; readonly rssKbPerRule: number }> {
  const files = 20;
  const rssOf = async (kind: "rule" | "hook", count: number): Promise<number> => {
    const sandbox = createSandbox({ logger, hostProgram: readHostProgram });
    try {
      const code = kind === "rule" ? "__exports = { default: () => false };" : "__exports = { default: { preCall() {} } };";
      await sandbox.load(Array.from({ length: count }, (_, index) => unit(index, kind, code)));
      await spareIsThere(sandbox);
      return sandbox.status().active?.rssBytes ?? Number.NaN;
    } finally {
      await sandbox.close();
    }
  };
  const perFile = async (kind: "rule" | "hook"): Promise<number> =>
    ((await rssOf(kind, files + 1)) - (await rssOf(kind, 1))) / files / 1024;
  return { rssKbPerHook: await perFile("hook"), rssKbPerRule: await perFile("rule") };
}

async function bothHostsRssMb(sandbox: Sandbox): Promise<number> {
  await spareIsThere(sandbox);
  const { active, spare } = sandbox.status();
  return ((active?.rssBytes ?? Number.NaN) + (spare?.rssBytes ?? Number.NaN)) / 1024 ** 2;
}

async function spareIsThere(sandbox: Sandbox): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while ((sandbox.status().spare?.calls ?? 0) === 0) {
    if (performance.now() > giveUpAt) throw new Error("no spare host came up");
    await delay(20);
  }
  await delay(100);
}
