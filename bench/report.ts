/** Prints a run: ratios and targets first, then the figures they come from. */

import type { HeldResult } from "./held.ts";
import type { ScenarioResult } from "./measure.ts";
import type { RouterResult } from "./router.ts";
import type { SandboxResult } from "./sandbox.ts";
import { sum } from "./statistics.ts";
import type { TranslationCost } from "./translation.ts";
import type { Measurements, StartResult, Target } from "./targets.ts";

export interface Report extends Measurements {
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly targets: readonly Target[];
  readonly notes: readonly string[];
  readonly skipped: readonly { readonly lane: string; readonly reason: string }[];
  readonly failed: readonly { readonly lane: string; readonly reason: string }[];
}

export function renderReport(report: Report): string {
  const machine = Object.entries(report.machine).map(([name, value]) => `${name} ${value}`);
  const sections = [
    `ccproxy bench, ${report.date}\n${machine.join(", ")}`,
    section("Targets", renderTargets(report.targets)),
    ...report.scenarios.map(renderScenario),
    section("Start and memory at rest", renderStarts(report.starts)),
    report.held.length === 0 ? "" : section("Held streams", renderHeld(report.held)),
    ...renderTranslation(report.translation ?? []),
    ...(report.router === undefined ? [] : renderRouter(report.router)),
    ...(report.sandbox === undefined ? [] : renderSandbox(report.sandbox)),
    ...report.skipped.map(({ lane, reason }) => `SKIPPED ${lane}: ${reason.trim()}`),
    ...report.failed.map(({ lane, reason }) => `FAILED ${lane}: ${reason.trim()}`),
    report.notes.map((note) => `- ${note}`).join("\n"),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

function section(title: string, body: string): string {
  return `${title}\n${body}`;
}

function renderTargets(targets: readonly Target[]): string {
  const rows = targets.map((target) => [
    target.isMet === undefined ? "-" : target.isMet ? "✓" : "✗",
    target.name,
    target.measured === undefined ? "not measured" : `${number(target.measured, 3)} ${target.unit}`,
    `${target.isAtMost ? "≤" : "≥"} ${number(target.limit, 3)} ${target.unit}`,
  ]);
  return table(["", "target", "measured", "wanted"], rows, 2);
}

function renderScenario(result: ScenarioResult): string {
  const { scenario } = result;
  const bare = result.lanes.find((lane) => lane.lane === "bare");
  const rows = result.lanes.map((lane) => [
    lane.lane,
    bare === undefined || lane.addedP50Ms === undefined || bare.addedP50Ms === undefined
      ? ""
      : number(lane.addedP50Ms / bare.addedP50Ms, 2),
    bare === undefined ? "" : number(lane.requestsPerSecond / bare.requestsPerSecond, 2),
    number(lane.addedP50Ms, 3),
    number(lane.addedP99Ms, 2),
    number(lane.addedFirstByteP50Ms, 3),
    number(lane.p50Ms, 3),
    number(lane.requestsPerSecond, 0),
    number(lane.cpuMsPerRequest, 2),
    number(lane.rssMb, 0),
    String(lane.requests),
    lane.keepsRequestBytes ? "kept" : "changed",
  ]);
  const header = ["lane", "added/bare", "rps/bare", "added p50", "added p99", "added ttfb", "p50", "rps", "cpu/req", "rss MB", "n", "body"];
  const form = scenario.form === "stream" ? "streamed reply" : "plain reply";
  const title = `${scenario.size} body, ${form}, ${scenario.concurrency} at a time (ms; the load generator itself takes ${number(result.generatorCpuMsPerRequest, 2)} ms of processor a request)`;
  const failures = result.lanes.flatMap((lane) => (lane.failure === undefined ? [] : [`\nFAILED ${lane.lane}: ${lane.failure.trim()}`]));
  return section(title, table(header, rows, 1) + failures.join(""));
}

function renderStarts(starts: readonly StartResult[]): string {
  const rows = starts.map((start) => [start.lane, start.version ?? "", number(start.startMs, 0), number(start.idleRssMb, 0)]);
  return table(["lane", "version", "start ms", "rss MB"], rows, 2);
}

function renderHeld(held: readonly HeldResult[]): string {
  const rows = held.map((result) => [
    result.lane,
    String(result.streams),
    number(result.rssKbPerStream, 0),
    number(result.rssHeldMb, 0),
    number(result.cpuMsPerSecond, 0),
    number(result.openedMs, 0),
    number(result.longestSilenceMs, 0),
    String(result.broken),
    result.failure ?? "",
  ]);
  return table(["lane", "streams", "KB/stream", "rss MB", "cpu ms/s", "opened in ms", "longest silence ms", "broken", ""], rows, 1);
}

function renderTranslation(costs: readonly TranslationCost[]): readonly string[] {
  if (costs.length === 0) return [];
  const rows = costs.map(({ wire, requestP50Ms, cpuUsPerEvent }) => [
    wire,
    number(requestP50Ms["50k"], 2),
    number(requestP50Ms["1m"], 2),
    number(cpuUsPerEvent, 1),
  ]);
  return [section("Translation alone, in one process", table(["wire", "50k request, ms", "1m request, ms", "event, µs"], rows, 1))];
}

function renderRouter({ failing, held, slow }: RouterResult): readonly string[] {
  const rows = failing.map((result) => [
    result.lane,
    String(result.requests),
    number(result.successRate * 100, 2),
    String(result.upstreamFailures),
    number(result.amplification, 3),
    number(result.addedP50Ms, 2),
    number(result.addedP99Ms, 1),
    number(result.p50Ms, 1),
    number(result.p99Ms, 1),
    (result.firstFailure ?? "").trim(),
  ]);
  const header = ["lane", "n", "answered %", "let down", "amplification", "added p50", "added p99", "p50", "p99", ""];
  const loop =
    held.loop === undefined
      ? []
      : [["delay of the event loop, p99 / max", `${number(held.loop.p99Ms, 1)} / ${number(held.loop.maxMs, 0)} ms`]];
  const beside = [
    ["others alone: p50 / p99", `${number(slow.aloneP50Ms, 2)} / ${number(slow.aloneP99Ms, 2)} ms`],
    [
      `beside ${slow.readers} that take a kilobyte a second: p50 / p99`,
      `${number(slow.besideP50Ms, 2)} / ${number(slow.besideP99Ms, 2)} ms`,
    ],
    ["resident memory of each of those", `${number(slow.rssKbPerReader, 0)} KB`],
  ];
  return [
    section("Three deployments, one of which fails with 30 % of its requests (ms, beyond a run without failures)", table(header, rows, 1)),
    section(`${held.streams} held streams`, [renderHeld([held]), ...loop.map(([name, value]) => `${name}: ${value}`)].join("\n")),
    section("Slow readers", table(["", ""], beside, 1)),
  ];
}

function renderSandbox(sandbox: SandboxResult): readonly string[] {
  const rows = sandbox.costs.map((cost) => [
    cost.name,
    cost.size,
    number(cost.p50Ms, 3),
    number(cost.p99Ms, 2),
    number(cost.cpuMs, 3),
    number(cost.inProcessP50Ms, 3),
    number(cost.inVmP50Ms, 3),
  ]);
  const { events } = sandbox;
  const figures = [
    [
      `a hook on every event, ${events.streams} streams, ${number(events.eventsPerSecond, 0)} events/s: processor`,
      `${number(events.cpuUsPerEvent, 1)} µs`,
    ],
    ["the same: p50 / p99 of an event's way", `${number(events.latencyP50Ms, 2)} / ${number(events.latencyP99Ms, 2)} ms`],
    ["start of a host", `${number(sandbox.hostStartMs, 0)} ms`],
    [
      "first load, with the start of the first host / another version",
      `${number(sandbox.firstLoadMs, 0)} / ${number(sandbox.reloadMs, 1)} ms`,
    ],
    [
      "resident memory of both hosts, at rest / with a rule and a hook, after work",
      `${number(sandbox.hostsIdleRssMb, 0)} / ${number(sandbox.hostsRssMb, 0)} MB`,
    ],
    ["resident memory of a hook / of a rule, in each host", `${number(sandbox.rssKbPerHook, 0)} / ${number(sandbox.rssKbPerRule, 0)} KB`],
  ];
  return [
    section(
      "Rules and hooks in the sandbox (ms; scan, run and new body)",
      table(["", "body", "p50", "p99", "cpu", "in process", "node:vm"], rows, 2),
    ),
    section("Sandbox otherwise", table(["", ""], figures, 1)),
  ];
}

/** Text columns are aligned left, figures right. */
function table(header: readonly string[], rows: readonly (readonly string[])[], textColumns: number): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < textColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  const rule = "-".repeat(sum(widths) + 2 * (widths.length - 1));
  return [line(header), rule, ...rows.map(line)].join("\n");
}

function number(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? "" : value.toFixed(digits);
}
