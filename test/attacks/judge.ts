/** Says what is wrong with how an attack ended; nothing, when it ended as it should. */

import type { PhaseOutcome } from "../../core/sandbox/sandbox.ts";
import type { Attack, Expected, Seen } from "./attack.ts";
import { reachedKey } from "./attack-code.ts";
import { secondChanceMs } from "../../core/sandbox/host/limits.ts";
import { defaultSliceMs, type Shot } from "./range.ts";

export interface Verdict {
  readonly faults: readonly string[];
  /** The machine may be at fault: a second run may clear the code. */
  readonly mayBeChance: boolean;
}

/** Of what contains it: V8's own end of a run, and the host's own upkeep around it. */
const graceMs = 100;
const upkeepMs = 300;
/** A crash is tried once more, and a third host may have to be started. */
const crashMs = 1500;
const mostBlockedMs = 50;
const recoveryMs = 1000;
/** Slices are counted on the wall: who waits so long for a processor may lose one without a fault. */
const starvedMs = 50;

export function judge(attack: Attack, { seen, window, recovery, innocentFailures, lostHosts, hasLeaked }: Shot): Verdict {
  const faults: string[] = [];
  const timeFaults: string[] = [];
  if (!wasReached(attack, seen)) faults.push("nothing shows that the attack has run");
  if (!attack.expected.some((expected) => isAsExpected(expected, attack, seen)))
    faults.push(`it ended with ${describe(attack, seen)}; wanted ${attack.expected.map((one) => inspect(one)).join(" or ")}`);
  if (attack.check !== undefined && !attack.check(seen))
    faults.push(`what was left is not as it should be: ${JSON.stringify(seen).slice(0, 3000)}`);
  if (lostHosts > 0 && !attack.expected.includes("kill")) faults.push(`${lostHosts} hosts were lost`);
  if (innocentFailures.length > 0) faults.push(`${innocentFailures.length} innocent calls failed, e.g. ${innocentFailures[0]}`);
  if (attack.neighbours === undefined && !attack.check) faults.push(...neighbourFaults(attack, seen));
  if (hasLeaked) faults.push("a secret came out");
  const limitMs = deadlineMs(attack, lostHosts);
  const tookMs = window.elapsedMs - window.starvedMs;
  if (tookMs > limitMs) timeFaults.push(`it took ${Math.round(tookMs)} ms; at most ${limitMs} are right`);
  if (window.blockedMs > mostBlockedMs) timeFaults.push(`the event loop was blocked for ${Math.round(window.blockedMs)} ms`);
  const recoveredMs = recovery.elapsedMs - recovery.starvedMs;
  if (recoveredMs > recoveryMs) timeFaults.push(`the next innocent call took ${Math.round(recoveredMs)} ms`);
  const isTimedOut = [...seen.outcomes, ...seen.neighbours].some(({ error, lost }) => error?.kind === "timeout" || lost !== undefined);
  const wasStarved = window.starvedMs > starvedMs && isTimedOut;
  const all = [...faults, ...timeFaults];
  return { faults: all, mayBeChance: all.length > 0 && (faults.length === 0 || wasStarved) };
}

function deadlineMs({ where, sliceMs = defaultSliceMs, calls = 1, timeoutMs, expected }: Attack, lostHosts: number): number {
  // A file is run in both hosts when it is loaded, and has longer for it.
  if (where === "load") return 2 * (2000 + graceMs + upkeepMs) + lostHosts * crashMs;
  const waitsMs = expected.includes("timeout") ? (timeoutMs ?? 0) : 0;
  // With the other rules, then by itself; and once more with a little longer when the machine had no time for it.
  const runsMs = (where === "rule" ? 3 : 2) * sliceMs + secondChanceMs;
  return calls * (runsMs + graceMs + upkeepMs + waitsMs) + Math.max(0, lostHosts - 1) * crashMs;
}

function wasReached({ where, module, isDirect }: Attack, { outcomes, manifest, operations }: Seen): boolean {
  const outcome = outcomes.at(-1);
  const wasLost = outcome?.lost === "killed" || outcome?.lost === "crashed" || isEnded(outcome?.error);
  const logs = new Set(outcomes.flatMap(({ writes }) => writes?.logs ?? []).map(({ text }) => text));
  if (where === "load")
    return (
      logs.has("reached") ||
      /attack/.test(manifest.error?.stack ?? "") ||
      /while it was loaded/.test(manifest.error?.message ?? "") ||
      manifest.error?.name === "memory"
    );
  if (module === undefined && isDirect === undefined && where !== "onEvent")
    return operations.some((one) => one.op === "kv.get" && one.key === reachedKey);
  return logs.has("reached") || /attack/.test(outcome?.error?.stack ?? "") || wasLost;
}

/** What does no more than call it makes nothing and comes to its end in no time: nothing else can have made or taken so much. */
function isEnded(error: PhaseOutcome["error"]): boolean {
  return error?.kind === "memory" || error?.kind === "timeout" || error?.kind === "invalid";
}

/** On a machine that lets nothing run, a loop is begun again and again before it has had its slice. */
function isUnfinished(error: PhaseOutcome["error"]): boolean {
  return /was not let run/.test(error?.message ?? "");
}

function isAsExpected(expected: Expected, attack: Attack, seen: Seen): boolean {
  const error = attack.where === "load" ? seen.manifest.error : seen.outcomes.at(-1)?.error;
  const kind = attack.where === "load" ? seen.manifest.error?.name : seen.outcomes.at(-1)?.error?.kind;
  const outcome = seen.outcomes.at(-1);
  if (expected === "kill")
    return attack.where === "load" ? kind === "Quarantined" : outcome?.lost === "killed" || outcome?.lost === "crashed";
  if (expected === "timeout") return kind === "timeout" || outcome?.lost === "timeout" || isUnfinished(outcome?.error);
  if (expected === "memory") return kind === "memory";
  if ("error" in expected)
    return error !== undefined && kind !== "timeout" && kind !== "memory" && expected.error.test(`${error.name}: ${error.message}`);
  if (outcome === undefined || error !== undefined || outcome.lost !== undefined) return false;
  return "harmless" in expected || outcome.writes?.annotations?.["value"] === expected.value;
}

function neighbourFaults({ where }: Attack, { neighbours, outcomes }: Seen): readonly string[] {
  const wanted = 2 * outcomes.length;
  const fine = neighbours.filter(
    ({ error, lost, writes }) => error === undefined && lost === undefined && writes?.annotations?.["neighbour"] !== undefined,
  );
  return where !== "load" && fine.length < wanted
    ? [`of ${wanted} outcomes of its neighbours ${fine.length} are right: ${JSON.stringify(neighbours).slice(0, 1000)}`]
    : [];
}

function describe({ where }: Attack, { manifest, outcomes }: Seen): string {
  const outcome: Partial<PhaseOutcome> | undefined = outcomes.at(-1);
  return JSON.stringify(where === "load" ? { manifest: manifest.error, outcome } : outcome)?.slice(0, 1500) ?? "nothing";
}

function inspect(expected: Expected): string {
  if (typeof expected === "string") return expected;
  return "error" in expected ? `an error like ${String(expected.error)}` : JSON.stringify(expected);
}
