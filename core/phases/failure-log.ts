/** Tells of user code that failed: the user's own line, the request, and what became of it; the same failure not too often. */

import type { Logger } from "../../sdk/log.ts";
import type { Location } from "../config/types.ts";
import type { Phase } from "../sandbox/protocol.ts";
import type { PhaseOutcome } from "../sandbox/sandbox.ts";
import type { MappedError } from "../user-code/source-map.ts";
import { type LoadedUnit, unitName } from "./user-program.ts";

/** The same file in the same phase is told of once per this time; how often it failed meanwhile comes with the next line. */
const quietMs = 10_000;

export type MapError = (
  unit: LoadedUnit,
  error: { readonly name: string; readonly message: string; readonly stack: string },
) => MappedError;

export interface UnitFailure {
  readonly unit: LoadedUnit;
  readonly phase: Phase;
  /** For the log: may quote what the user's code put into its error. */
  readonly reason: string;
  /** For whoever made the request: how it failed, and nothing from inside. */
  readonly shown: string;
  readonly error: MappedError | undefined;
}

export interface FailureLog {
  /** Undefined when the outcome is no failure. */
  read(unit: LoadedUnit, phase: Phase, outcome: PhaseOutcome): UnitFailure | undefined;
  /** @param policy what became of the request */
  tell(failure: UnitFailure, requestId: string, policy: string, isDenied: boolean): void;
}

/** @param now monotonic ms */
export function createFailureLog(logger: Logger, mapError: MapError, now: () => number): FailureLog {
  const told = new Map<string, { at: number; since: number }>();
  return {
    read: (unit, phase, outcome) => readFailure(unit, phase, outcome, mapError),
    tell({ unit, phase, reason, error }, requestId, policy, isDenied) {
      const key = `${unit.source.hash} ${unitName(unit)} ${phase}`;
      const last = told.get(key);
      if (last !== undefined && now() - last.at < quietMs) {
        last.since++;
        return;
      }
      if (last === undefined && told.size >= 1000) told.clear();
      told.set(key, { at: now(), since: 0 });
      const fields = {
        requestId,
        file: unitName(unit),
        phase,
        reason,
        policy,
        ...(error === undefined
          ? {}
          : { position: error.position && positionText(error.position, unit), stack: error.stack, frame: error.frame }),
        ...(last === undefined || last.since === 0 ? {} : { moreSince: last.since }),
      };
      const message = `${phase === "rule" ? "a rule" : "a hook"} failed: ${reason}`;
      if (isDenied) logger.error(fields, message);
      else logger.warn(fields, message);
    },
  };
}

function readFailure(unit: LoadedUnit, phase: Phase, outcome: PhaseOutcome, mapError: MapError): UnitFailure | undefined {
  const { error, lost } = outcome;
  if (error === undefined && lost === undefined) return undefined;
  const mapped = error === undefined ? undefined : mapError(unit, error);
  const how = lost === undefined ? kinds[error?.kind ?? "threw"] : losses[lost];
  const at = mapped?.position === undefined ? "" : ` at ${positionText(mapped.position, unit)}`;
  const said = mapped === undefined ? "" : `: ${mapped.message}`;
  return { unit, phase, reason: `${unitName(unit)} ${how}${at}${said}`, shown: `${how}${at}`, error: mapped };
}

/** As the configuration calls the file, where it lies in the same folder as the unit's. */
function positionText({ file, line, column }: Location, { source }: LoadedUnit): string {
  const root = source.path.endsWith(`/${source.file}`) ? source.path.slice(0, -source.file.length) : undefined;
  return `${root !== undefined && file.startsWith(root) ? file.slice(root.length) : file}:${line}:${column}`;
}

const kinds: Readonly<Record<NonNullable<PhaseOutcome["error"]>["kind"], string>> = {
  threw: "threw an error",
  timeout: "took longer than it may",
  memory: "used more memory than it may",
  invalid: "returned what it must not",
  deadlock: "waits for something that can never come",
};

const losses: Readonly<Record<NonNullable<PhaseOutcome["lost"]>, string>> = {
  killed: "did not come to an end and was killed",
  crashed: "brought its process down",
  timeout: "took longer than it may",
  quarantined: "is out of use until its file changes, because it had to be killed too often",
  unavailable: "could not be run: no process for user code could be started",
};
