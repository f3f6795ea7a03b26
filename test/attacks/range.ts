/** Where attacks are run: one real sandbox, innocent calls beside it, and everything that is measured. */

import { vi } from "vitest";
import { createSandbox, type SandboxOptions } from "../../core/sandbox/create-sandbox.ts";
import type { Operation, OperationResult } from "../../core/sandbox/protocol.ts";
import type { LoadedProgram, OperationRunner, PhaseOutcome, Sandbox, StreamResult } from "../../core/sandbox/sandbox.ts";
import { readHostProgram } from "../../core/sandbox-program.ts";
import { phaseCall, recordingLogger, streamCall, type Logged } from "../helpers/sandboxes.ts";
import type { Attack, Seen } from "./attack.ts";
import { attackCode, fileOf } from "./attack-code.ts";
import { startInnocents, type Innocents } from "./innocents.ts";
import { watchMachine, type Machine, type Window } from "./machine.ts";
import { events, subjectOf } from "./subjects.ts";
import { plantedKey, unitSpec } from "./unit-spec.ts";

/** Everything that is known about one run of an attack. */
export interface Shot {
  readonly seen: Seen;
  /** Of the calls alone. */
  readonly window: Window;
  /** From the attack's end until an innocent call was answered. */
  readonly recovery: Window;
  readonly innocentFailures: readonly string[];
  /** Hosts that were lost to it. */
  readonly lostHosts: number;
  readonly hasLeaked: boolean;
}

export interface Range {
  shoot(attack: Attack): Promise<Shot>;
  readonly sandbox: Sandbox;
  readonly innocents: Innocents;
  readonly lines: readonly Logged[];
  close(): Promise<void>;
}

const plantedVariable = "planted-in-the-environment-Qx71";
export async function openRange(options: Partial<SandboxOptions> = {}): Promise<Range> {
  vi.stubEnv("PLANTED_SECRET", plantedVariable);
  const { logger, lines } = recordingLogger();
  const sandbox = createSandbox({ logger, hostProgram: readHostProgram, ...options });
  const innocents = await startInnocents(sandbox);
  const machine = watchMachine(() => [sandbox.status().active?.pid ?? 0, sandbox.status().spare?.pid ?? 0]);
  let shots = 0;
  return {
    sandbox,
    innocents,
    lines,
    shoot: (attack) => shoot({ sandbox, innocents, machine, label: `${attack.name} ${++shots}` }, attack),
    async close() {
      machine.close();
      await innocents.stop();
      await sandbox.close();
      vi.unstubAllEnvs();
    },
  };
}

interface Scene {
  readonly sandbox: Sandbox;
  readonly innocents: Innocents;
  readonly machine: Machine;
  /** Differs with each run: strikes go by it. */
  readonly label: string;
}

async function shoot({ sandbox, innocents, machine, label }: Scene, attack: Attack): Promise<Shot> {
  innocents.takeFailures();
  const before = sandbox.status();
  const operations: Operation[] = [];
  const openLoad = machine.open();
  const program = await sandbox.load(unitsOf(attack, label));
  const loadWindow = openLoad();
  const end = machine.open();
  const outcomes: PhaseOutcome[] = [];
  const neighbours: PhaseOutcome[] = [];
  const changedEvents: StreamResult["events"][] = [];
  for (let call = 0; call < (attack.calls ?? 1); call++) {
    for (const outcome of await callOnce(program, attack, operations, changedEvents)) {
      if (outcome.unit === attackerUnit) outcomes.push(outcome);
      else neighbours.push(outcome);
    }
  }
  const window = attack.where === "load" ? loadWindow : end();
  const endRecovery = machine.open();
  const failure = await innocents.call();
  const recovery = endRecovery();
  const manifest = program.manifests.find(({ unit }) => unit === attackerUnit);
  if (manifest === undefined) throw new Error("the attacker has no manifest");
  const seen: Seen = { manifest, outcomes, neighbours, events: changedEvents, operations };
  const told = JSON.stringify(seen);
  program.release();
  const after = sandbox.status();
  return {
    seen,
    window,
    recovery,
    innocentFailures: [...innocents.takeFailures(), ...(failure === undefined ? [] : [failure])],
    lostHosts: after.kills + after.crashes - before.kills - before.crashes,
    hasLeaked: told.includes(plantedVariable) || told.includes(plantedKey),
  };
}

/** Long enough for what does nothing wrong, on a machine that has other things to do. */
export const defaultSliceMs = 100;
const attackerUnit = 1;
const ordinaryNeighbour = `{ name: "neighbour", NAME(CALL) { context.annotate("neighbour", context.requestId); } }`;

function unitsOf(attack: Attack, label: string): Parameters<Sandbox["load"]>[0] {
  const kind = attack.kind ?? (attack.where === "rule" ? "rule" : "hook");
  const phase = attack.where === "load" ? "preCall" : attack.where;
  const neighbour =
    phase === "rule"
      ? `defineRule((request, params, context) => { context.annotate("neighbour", context.requestId); return false; })`
      : `defineHook(${ordinaryNeighbour.replace("NAME", phase).replace("CALL", "subject, context")})`;
  const [first, last] = attack.neighbours ?? [neighbour, neighbour];
  const limits = { sliceMs: attack.sliceMs ?? defaultSliceMs, timeoutMs: attack.timeoutMs ?? 5000 };
  const neighbourKind = kind === "callback" ? "hook" : kind;
  return [
    unitSpec({ unit: 0, kind: neighbourKind, file: "files/first.ts", code: fileOf(first), hash: `first ${label}`, limits }),
    unitSpec({ unit: attackerUnit, kind, file: "files/attack.ts", code: attackCode(attack), hash: `attack ${label}`, limits }),
    unitSpec({ unit: 2, kind: neighbourKind, file: "files/last.ts", code: fileOf(last), hash: `last ${label}`, limits }),
  ];
}

async function callOnce(
  program: LoadedProgram,
  { where }: Attack,
  operations: Operation[],
  changedEvents: StreamResult["events"][],
): Promise<readonly PhaseOutcome[]> {
  if (where === "onEvent") {
    const stream = program.openStream(streamCall([0, attackerUnit, 2]));
    const result = await stream.push(events);
    stream.close();
    changedEvents.push(result.events);
    return result.outcomes;
  }
  const phase = where === "load" ? "preCall" : where;
  const call = (units: readonly number[]): Promise<readonly PhaseOutcome[]> =>
    program.run(phaseCall(units, { phase, ...subjectOf(phase), operations: answering(operations) }));
  const outcomes = await call([0, attackerUnit, 2]);
  // It had its way, which ends the call.
  return outcomes.length === 3 ? outcomes : [...outcomes, ...(await call([2]))];
}

/** Answers everything at once. */
function answering(asked: Operation[]): OperationRunner {
  return {
    run(unit, operation): Promise<OperationResult> {
      if (unit === attackerUnit) asked.push(operation);
      return Promise.resolve({ seq: operation.seq, ok: true, value: answerOf(operation) });
    },
  };
}

function answerOf({ op }: Operation): Extract<OperationResult, { ok: true }>["value"] {
  return answers[op];
}

const answers = {
  fetch: { status: 200, headers: {}, body: "{}" },
  callModel: { content: [{ type: "text", text: "hello" }] },
  "kv.get": ["kept"],
  "kv.lines": [],
} as const;
