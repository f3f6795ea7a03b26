/** Collects the findings of one load: all of them, each with its place, in the order of the files. */

import { maskSecrets } from "./describe.ts";
import { pathText, type Place } from "./tree.ts";
import type { Fault, Severity } from "./types.ts";

export interface Report {
  error(place: Place, message: string): void;
  warning(place: Place, message: string): void;
  note(place: Place, message: string): void;
  /** A finding about a whole file, or a line of it. */
  file(severity: Severity, file: string, message: string, position?: { readonly line: number; readonly column: number }): void;
  /** In order of file, line and column; files stand in the order given, others after them. */
  faults(files: readonly string[]): readonly Fault[];
  hasErrors(): boolean;
}

export function createReport(): Report {
  const found: Fault[] = [];
  const add = (severity: Severity, { tree, path, part }: Place, message: string): void => {
    const fault = { severity, message, ...tree.locate(path, part) };
    found.push(path.length === 0 ? fault : { ...fault, path: maskSecrets(pathText(path)) });
  };
  return {
    error: (place, message) => add("error", place, message),
    warning: (place, message) => add("warning", place, message),
    note: (place, message) => add("note", place, message),
    file: (severity, file, message, position) => {
      found.push({ severity, message, file, ...position });
    },
    faults: (files) => sortFaults(found, files),
    hasErrors: () => found.some(({ severity }) => severity === "error"),
  };
}

function sortFaults(faults: readonly Fault[], files: readonly string[]): readonly Fault[] {
  const rank = new Map(files.map((file, index) => [file, index]));
  const rankOf = (fault: Fault): number => rank.get(fault.file) ?? files.length;
  return [...faults].sort(
    (a, b) => rankOf(a) - rankOf(b) || a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}
