/** Rules that are run in one go. What is known of them is kept from call to call: finding it out costs as much as two rules. */

import type { CallMessage } from "../protocol.ts";
import type { CagedFile, CallResult } from "./cage.ts";
import type { Program } from "./program.ts";

/** A unit to be run, and where it is. */
export interface Candidate {
  readonly unit: number;
  readonly file: CagedFile;
}

export interface RuleBatch {
  readonly candidates: readonly Candidate[];
  readonly files: readonly CagedFile[];
  /** As the dispatcher takes them. */
  readonly units: string;
  /** What comes back when none has anything to say. */
  readonly nothing: string;
  /** Of the isolate when this was found out. */
  readonly generation: number;
}

export interface RuleBatches {
  /** The rules at the front of what is left; undefined when there are not two that can be run together. */
  find(message: CallMessage, rest: readonly number[]): RuleBatch | undefined;
  forget(version: number): void;
}

const mostKept = 100;

export function createRuleBatches(programs: ReadonlyMap<number, Program>): RuleBatches {
  let known = new Map<string, RuleBatch>();
  return {
    find({ phase, version }, rest) {
      if (phase !== "rule" || rest.length < 2) return undefined;
      const key = `${version}:${rest.join(",")}`;
      let batch = known.get(key);
      if (batch === undefined || batch.generation !== batch.files[0]?.cage.generation()) {
        batch = createBatch(programs.get(version), rest);
        if (known.size >= mostKept) known = new Map();
        known.set(key, batch);
      }
      return batch.candidates.length < 2 ? undefined : batch;
    },
    forget(version) {
      for (const key of known.keys()) if (key.startsWith(`${version}:`)) known.delete(key);
    },
  };
}

function createBatch(program: Program | undefined, rest: readonly number[]): RuleBatch {
  const candidates: Candidate[] = [];
  for (const unit of rest) {
    const file = program?.file(unit);
    if (file === undefined || file.cage.unloadable(file) !== undefined) break;
    candidates.push({ unit, file });
  }
  return {
    candidates,
    files: [...new Set(candidates.map(({ file }) => file))],
    units: candidates.map(({ unit }) => unit).join(","),
    nothing: candidates.map(() => "-").join("\n"),
    generation: candidates[0]?.file.cage.generation() ?? 0,
  };
}

/** JSON of the stores as JSON by unit; empty when there are none. */
export function storesOf({ stores }: CallMessage, candidates: readonly Candidate[]): string {
  const byUnit: Record<string, string> = {};
  let isEmpty = true;
  for (const { unit } of candidates) {
    const content = stores[unit];
    if (content === undefined) continue;
    byUnit[unit] = JSON.stringify(content);
    isEmpty = false;
  }
  return isEmpty ? "" : JSON.stringify(byUnit);
}

/** Promises are settled after the last rule has answered. Was the call interrupted only then? */
export function hasAnsweredAll(result: CallResult & { readonly cursor?: string }, count: number): boolean {
  if (result.type === "answer" || result.cursor === undefined || result.cursor === "") return false;
  const lines = result.cursor.split("\n");
  return lines.length === count || !lines.at(-1)?.startsWith("-");
}

/** The answers of a batch; when it was interrupted, those that are final. */
export function readAnswers(result: CallResult & { readonly cursor?: string }): readonly string[] {
  if (result.type === "answer") return result.text.split("\n");
  const lines = (result.cursor ?? "").split("\n");
  return lines.filter((line) => line.startsWith("-"));
}
