/** What ccproxy promises, judged against one run. */

import type { HeldResult } from "./held.ts";
import type { LaneResult, ScenarioResult } from "./measure.ts";
import type { BodySize, ReplyForm } from "./bodies.ts";
import type { RouterResult } from "./router.ts";
import type { SandboxBodySize, SandboxResult } from "./sandbox.ts";
import type { TranslationCost } from "./translation.ts";
import type { CaseName } from "./sandbox-cases.ts";

export interface StartResult {
  readonly lane: string;
  readonly version: string | undefined;
  /** Median of the starts, spawn to first answer. */
  readonly startMs: number;
  readonly idleRssMb: number;
}

export interface Target {
  readonly name: string;
  readonly limit: number;
  readonly isAtMost: boolean;
  readonly unit: "×" | "%" | "ms" | "MB" | "KB" | "µs";
  /** Undefined when a lane it needs was not measured. */
  readonly measured: number | undefined;
  readonly isMet: boolean | undefined;
}

export interface Measurements {
  readonly scenarios: readonly ScenarioResult[];
  readonly starts: readonly StartResult[];
  readonly held: readonly HeldResult[];
  /** Undefined when it was not measured. */
  readonly sandbox?: SandboxResult | undefined;
  /** Likewise. */
  readonly router?: RouterResult | undefined;
  /** Empty when it was not measured. */
  readonly translation?: readonly TranslationCost[];
}

/** What a request may wait longer for rules and hooks of the user's own, ms, by size of its body. */
const sandboxLimits: Readonly<Record<Exclude<CaseName, "ten rules">, Readonly<Record<SandboxBodySize, number>>>> = {
  rule: { "20k": 0.25, "200k": 0.35, "2m": 1.5 },
  "sets a field": { "20k": 0.25, "200k": 0.55, "2m": 2.4 },
  "edits the last message": { "20k": 0.35, "200k": 0.8, "2m": 4.5 },
};
const tenRulesMs = 0.05;

export function judge(run: Measurements): readonly Target[] {
  const targets: Target[] = [];
  const add = (name: string, unit: Target["unit"], limit: number, measured: number | undefined, isAtMost = true): void => {
    const known = measured !== undefined && Number.isFinite(measured) ? measured : undefined;
    const isMet = known === undefined ? undefined : isAtMost ? known <= limit : known >= limit;
    targets.push({ name, unit, limit, measured: known, isAtMost, isMet });
  };
  const sizes: readonly BodySize[] = ["50k", "1m"];
  for (const lane of ["ccproxy", "ccproxy+rules"]) {
    for (const size of sizes) {
      add(`${lane}: added p50 to bare's, ${size}, one at a time`, "×", 1.3, ratio(run, "addedP50Ms", lane, "bare", size, "stream", 1));
      add(
        `${lane}: requests/s to bare's, ${size}, 16 at a time`,
        "×",
        0.8,
        ratio(run, "requestsPerSecond", lane, "bare", size, "stream", 16),
        false,
      );
    }
    const own = laneResult(run, lane, "1m", "stream", 1)?.cpuMsPerRequest;
    const copying = laneResult(run, "bare", "1m", "stream", 1)?.cpuMsPerRequest;
    add(
      `${lane}: processor time of a 1 MB body beyond copying`,
      "ms",
      1.5,
      own === undefined || copying === undefined ? undefined : own - copying,
    );
  }
  for (const size of sizes) {
    add(`added p50 to Portkey's, ${size}, not streamed`, "×", 1 / 3, ratio(run, "addedP50Ms", "ccproxy", "portkey", size, "plain", 1));
    add(
      `added p50 to claude-code-router's, ${size}`,
      "×",
      1 / 50,
      ratio(run, "addedP50Ms", "ccproxy", "claude-code-router", size, "stream", 1),
    );
  }
  const toChat = (size: BodySize): LaneResult | undefined => laneResult(run, "ccproxy→chat", size, "stream", 1);
  add("translated to Chat Completions: added p50, 50k", "ms", 1, toChat("50k")?.addedP50Ms);
  add("translated to Chat Completions: processor time of a request, 1m", "ms", 8, toChat("1m")?.cpuMsPerRequest);
  for (const cost of run.translation ?? [{ wire: "any wire", cpuUsPerEvent: undefined }]) {
    add(`translated from ${cost.wire}: processor time of an event`, "µs", 15, cost.cpuUsPerEvent);
  }
  add(
    "added p50 to LiteLLM's, 50k, translated to Chat Completions",
    "×",
    1 / 3,
    ratio(run, "addedP50Ms", "ccproxy→chat", "litellm→chat", "50k", "stream", 1),
  );
  add(
    "added p50 to Portkey's, 50k, translated from Chat Completions, not streamed",
    "×",
    1,
    ratio(run, "addedP50Ms", "chat→ccproxy", "chat→portkey", "50k", "plain", 1),
  );
  const blind = laneResult(run, "ccproxy−spend", "50k", "stream", 1)?.addedP50Ms;
  for (const [lane, limit] of [
    ["ccproxy+keys", 0.15],
    ["ccproxy+servers", 0.5],
  ] as const) {
    const added = laneResult(run, lane, "50k", "stream", 1)?.addedP50Ms;
    add(
      `${lane}: key, limits and ledger, added p50, 50k`,
      "ms",
      limit,
      added === undefined || blind === undefined ? undefined : added - blind,
    );
  }
  const start = run.starts.find((result) => result.lane === "ccproxy");
  add("resident memory, idle", "MB", 120, start?.idleRssMb);
  add("start to ready", "ms", 500, start?.startMs);
  add("resident memory of a held stream", "KB", 80, run.held.find((result) => result.lane === "ccproxy")?.rssKbPerStream);
  const { sandbox } = run;
  for (const [name, limits] of Object.entries(sandboxLimits)) {
    for (const [size, limit] of Object.entries(limits))
      add(`sandbox, ${name}: added p50, ${size}`, "ms", limit, sandboxP50Ms(sandbox, name, size));
  }
  for (const size of ["20k", "200k", "2m"]) {
    const [one, ten] = [sandboxP50Ms(sandbox, "rule", size), sandboxP50Ms(sandbox, "ten rules", size)];
    add(
      `sandbox, ten rules beyond one: added p50, ${size}`,
      "ms",
      tenRulesMs,
      one === undefined || ten === undefined ? undefined : ten - one,
    );
  }
  add("sandbox: processor time of an event, 50 streams", "µs", 10, sandbox?.events.cpuUsPerEvent);
  add("sandbox: start of a host", "ms", 60, sandbox?.hostStartMs);
  add("sandbox: resident memory of both hosts", "MB", 120, sandbox?.hostsRssMb);
  judgeRouter(run.router, add);
  return targets;
}

type Add = (name: string, unit: Target["unit"], limit: number, measured: number | undefined, isAtMost?: boolean) => void;

function judgeRouter(router: RouterResult | undefined, add: Add): void {
  const failing = router?.failing.find(({ lane }) => lane === "ccproxy");
  const name = "one of three deployments fails 30 %";
  add(`${name}: requests answered`, "%", 99.9, failing === undefined ? undefined : failing.successRate * 100, false);
  add(`${name}: requests upstream per request`, "×", 1.3, failing?.amplification);
  add(`${name}: added p50`, "ms", 1, failing?.addedP50Ms);
  add(`${router?.held.streams ?? 5000} held streams: resident memory of each`, "KB", 80, router?.held.rssKbPerStream);
  add(`${router?.held.streams ?? 5000} held streams: p99 of the event loop's delay`, "ms", 50, router?.held.loop?.p99Ms);
  const slow = router?.slow;
  add(
    `beside ${slow?.readers ?? 500} slow readers: p99 of the others' requests`,
    "×",
    1.1,
    slow === undefined ? undefined : slow.besideP99Ms / slow.aloneP99Ms,
  );
}

function sandboxP50Ms(sandbox: SandboxResult | undefined, name: string, size: string): number | undefined {
  return sandbox?.costs.find((cost) => cost.name === name && cost.size === size)?.p50Ms;
}

function laneResult(run: Measurements, lane: string, size: BodySize, form: ReplyForm, concurrency: number): LaneResult | undefined {
  const found = run.scenarios.find(
    ({ scenario }) => scenario.size === size && scenario.form === form && scenario.concurrency === concurrency,
  );
  return found?.lanes.find((result) => result.lane === lane && result.requests > 0);
}

function ratio(
  run: Measurements,
  figure: "addedP50Ms" | "requestsPerSecond",
  lane: string,
  other: string,
  size: BodySize,
  form: ReplyForm,
  concurrency: number,
): number | undefined {
  const own = laneResult(run, lane, size, form, concurrency)?.[figure];
  const others = laneResult(run, other, size, form, concurrency)?.[figure];
  return own === undefined || others === undefined ? undefined : own / others;
}
