/** User code in force: the units of a snapshot, what they turned out to be, and the program they run in. */

import type { HookPhase } from "../../sdk/context.ts";
import type { LoadedProgram } from "../sandbox/sandbox.ts";
import type { UnitManifest } from "../sandbox/protocol.ts";
import type { UserUnit } from "../user-code/types.ts";

export interface LoadedUnit {
  /** Index within the program. */
  readonly index: number;
  readonly source: UserUnit;
  readonly manifest: UnitManifest;
  /** What a match of a rule gives; of hooks the name of the file. */
  readonly label: string;
  readonly required: boolean;
  /** What becomes of a request in which it fails. */
  readonly onError: "skip" | "deny";
}

export interface UserProgram {
  readonly program: LoadedProgram;
  readonly units: readonly LoadedUnit[];
  /** Hooks and callbacks that have this phase, in the order in which they run; the same array every time. */
  hooks(phase: HookPhase): readonly LoadedUnit[];
  /**
   * Keeps the program loaded. An exchange does so from its beginning until it has settled and its `onComplete`
   * has run; a call after the last one is let go would find nothing.
   *
   * @returns lets go; only the first call counts
   */
  retain(): () => void;
}

/** For messages, logs and traces: the file, and the export where it is not the default one. */
export function unitName({ source }: LoadedUnit): string {
  return source.exportName === "default" ? source.file : `${source.file}#${source.exportName}`;
}
