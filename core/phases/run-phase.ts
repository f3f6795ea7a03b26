/** Runs one phase of user code for an exchange: context in; decisions, changes and side effects out, each exactly once. */

import type { HeaderList } from "../../sdk/dialect.ts";
import type { Patch } from "../body/patch-format.ts";
import type { Exchange } from "../exchange.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import type { Phase, WireDecision } from "../sandbox/protocol.ts";
import type { PartSource, PhaseCall, PhaseOutcome } from "../sandbox/sandbox.ts";
import { createCallContext } from "./call-context.ts";
import type { UnitFailure } from "./failure-log.ts";
import { HookRefusal } from "./hook-refusal.ts";
import { RefusedResult } from "./refused-result.ts";
import type { PhaseServices } from "./phase-services.ts";
import { type LoadedUnit, type UserProgram, unitName } from "./user-program.ts";

/** A trace is for reading. */
const maxTracedPaths = 50;

export interface PhaseRun {
  readonly program: UserProgram;
  readonly phase: Exclude<Phase, "onEvent">;
  /** Those that have the phase, in order; not empty. */
  readonly units: readonly LoadedUnit[];
  /** The request, in the phases that see it. */
  readonly body?: PartSource;
  /** JSON text of what the other phases see. */
  readonly subject?: string;
  /** Where the attempt goes; default the router's first choice, if it has chosen. */
  readonly target?: PlannedTarget;
  /** What it sees in place of the headers of the exchange. */
  readonly headers?: HeaderList;
  /** Default: the signal of the exchange. */
  readonly signal?: AbortSignal;
  /** Nothing is left to be refused, so every failure is skipped. */
  readonly observesOnly?: boolean;
  /**
   * Takes what a unit decided or changed, before anything it wrote takes effect.
   *
   * @returns the paths that changed, for the trace
   * @throws RefusedResult when it cannot be taken: then the unit has failed, and the ones behind it are run
   */
  readonly accept?: (result: AcceptedResult) => readonly string[] | void;
}

/** How far a run came. Empty but for `rest` when no unit matched, decided or changed anything. */
export interface PhaseResult {
  /** The unit that did; the ones before it had nothing to say or failed and were skipped. */
  readonly by: LoadedUnit | undefined;
  /** Of a rule that matched: the label. */
  readonly label: string | undefined;
  readonly decision: WireDecision | undefined;
  readonly patch: Patch | undefined;
  /** Unchecked: see `checkHeaderChanges`. */
  readonly headers: PhaseOutcome["headers"];
  /** What is to run next, when what `by` changed has been applied. */
  readonly rest: readonly LoadedUnit[];
}

/** A result with somebody behind it. */
export type AcceptedResult = PhaseResult & { readonly by: LoadedUnit };

/**
 * @throws HookRefusal 503 when a unit failed whose failure denies the request
 * @throws the reason of the signal once it is aborted
 */
export async function runPhase(exchange: Exchange, services: PhaseServices, run: PhaseRun): Promise<PhaseResult> {
  const { capabilities } = services;
  const signal = run.signal ?? exchange.signal;
  const byIndex = new Map(run.units.map((unit) => [unit.index, unit]));
  const context = createCallContext(exchange, {
    target: run.target ?? exchange.target,
    headers: run.headers ?? exchange.headers.endToEnd,
    now: services.wallClock(),
    fetchesFacts: run.body !== undefined,
  });
  let rest = run.units;
  while (rest.length > 0) {
    signal.throwIfAborted();
    const call: PhaseCall = {
      phase: run.phase,
      units: rest.map(({ index }) => index),
      context,
      stores(index) {
        const unit = byIndex.get(index);
        return unit === undefined ? undefined : capabilities.stores(exchange, unit);
      },
      operations: capabilities.operations(exchange, rest),
      signal,
      ...(run.body === undefined ? {} : { body: run.body }),
      ...(run.subject === undefined ? {} : { subject: run.subject }),
    };
    const outcomes = await run.program.program.run(call);
    if (outcomes.length === 0) throw new Error(`the sandbox ran nothing of ${run.phase}`);
    for (const outcome of outcomes) {
      const unit = byIndex.get(outcome.unit);
      if (unit === undefined) throw new Error(`the sandbox ran unit ${outcome.unit}, which was not asked for`);
      rest = rest.filter(({ index }) => index !== outcome.unit);
      const result = readResult(unit, outcome, rest);
      const failure = services.failures.read(unit, run.phase, outcome);
      const taken = failure ?? offer(run, unit, result);
      if ("reason" in taken) {
        takeFailure(exchange, services, taken, outcome, run.observesOnly === true);
        continue;
      }
      await commitWrites(exchange, services, unit, outcome);
      traceOutcome(exchange, run.phase, unit, outcome, { ...taken, result });
      if (result !== undefined) return result;
    }
  }
  return { by: undefined, label: undefined, decision: undefined, patch: undefined, headers: undefined, rest };
}

interface Taken {
  readonly changed: readonly string[];
}

/** @returns why the result cannot be taken, or what of it counts */
function offer({ phase, accept }: PhaseRun, unit: LoadedUnit, result: AcceptedResult | undefined): UnitFailure | Taken {
  if (result === undefined || accept === undefined) return { changed: [] };
  try {
    return { changed: accept(result) ?? [] };
  } catch (error) {
    if (!(error instanceof RefusedResult)) throw error;
    const how = "returned what cannot be taken";
    return { unit, phase, reason: `${unitName(unit)} ${how}: ${error.message}`, shown: how, error: undefined };
  }
}

/** Brings into effect what travels with an outcome, failed or not; to be called once per outcome. */
export async function commitWrites(
  exchange: Exchange,
  { capabilities }: PhaseServices,
  unit: LoadedUnit,
  { writes }: Pick<PhaseOutcome, "writes">,
): Promise<void> {
  if (writes === undefined) return;
  for (const [key, value] of Object.entries(writes.annotations ?? {})) exchange.annotate(key, value);
  // Most files write nothing to disk; awaiting them all the same would cost a turn of the loop each.
  const pending = capabilities.commit(exchange, unit, writes);
  if (pending instanceof Promise) await pending;
}

/**
 * Applies the policy of a unit that failed.
 * @throws HookRefusal 503 when its failure denies the request
 */
export function takeFailure(
  exchange: Exchange,
  { failures, capabilities }: PhaseServices,
  failure: UnitFailure,
  outcome: Pick<PhaseOutcome, "us" | "writes">,
  observesOnly: boolean,
): void {
  const { unit, phase } = failure;
  const isDenied = unit.onError === "deny" && !observesOnly;
  const policy = isDenied ? "the request was refused" : phase === "rule" ? "taken as no match" : "the request went on without it";
  exchange.trace.add(stageOf(phase), isDenied ? "failed, so the request was refused" : "failed, skipped", {
    file: unitName(unit),
    phase,
    us: outcome.us,
    error: failure.reason,
    policy: unit.onError,
  });
  // What a failing unit logged tells why it failed; its other writes are void.
  if (outcome.writes?.logs !== undefined) void capabilities.commit(exchange, unit, { logs: outcome.writes.logs });
  failures.tell(failure, exchange.id, policy, isDenied);
  if (isDenied) throw refusal(failure, exchange.id);
}

function refusal({ unit, shown, phase }: UnitFailure, requestId: string): HookRefusal {
  const kind = phase === "rule" ? "rule" : "hook";
  const why = unit.required ? "is required" : "has on_error: deny";
  const message = `The ${kind} ${unitName(unit)} ${shown}. It ${why}, so ccproxy refused the request; \`ccproxy logs\` has more under ${requestId}.`;
  return new HookRefusal(message, { status: 503, kind: "api_error", headers: { "x-should-retry": "false" } });
}

function readResult(unit: LoadedUnit, outcome: PhaseOutcome, rest: readonly LoadedUnit[]): AcceptedResult | undefined {
  const { verdict, decision, patch, headers } = outcome;
  const label = verdict === true ? unit.label : typeof verdict === "string" && verdict !== "" ? verdict : undefined;
  const changes = headers !== undefined && headers.length > 0 ? headers : undefined;
  if (label === undefined && decision === undefined && patch === undefined && changes === undefined) return undefined;
  return { by: unit, label, decision, patch, headers: changes, rest };
}

interface Told extends Taken {
  readonly result: PhaseResult | undefined;
}

function traceOutcome(exchange: Exchange, phase: Phase, unit: LoadedUnit, outcome: PhaseOutcome, { result, changed }: Told): void {
  const { patch, decision, headers, label } = result ?? {};
  const annotations = outcome.writes?.annotations;
  exchange.trace.add(stageOf(phase), describeResult(phase, result), {
    file: unitName(unit),
    phase,
    us: outcome.us,
    ...(label === undefined ? {} : { label }),
    ...(patch === undefined ? {} : { changed: changed.slice(0, maxTracedPaths) }),
    ...(patch !== undefined && exchange.snapshot.config.record ? { patch } : {}),
    ...(headers === undefined ? {} : { headers: headers.map(([name, value]) => (value === null ? `-${name}` : name)) }),
    ...(decision?.kind === "deny" ? { status: decision.status } : {}),
    ...(annotations === undefined ? {} : { annotations }),
  });
}

function describeResult(phase: Phase, result: PhaseResult | undefined): string {
  if (result === undefined) return phase === "rule" ? "no match" : "unchanged";
  if (result.decision !== undefined) return result.decision.kind === "deny" ? "denied" : "responded";
  return result.label === undefined ? "changed" : "matched";
}

function stageOf(phase: Phase): string {
  return phase === "rule" ? "rules" : "hooks";
}
