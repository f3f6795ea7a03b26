/** Findings as text for a terminal: where, what, what to do, and the line itself under an error. */

import { readFileSync, statSync } from "node:fs";
import { styleText } from "node:util";
import { listWords } from "./check.ts";
import { drawFrame, maxFrameLine } from "./code-frame.ts";
import { printable } from "./describe.ts";
import { maskLine } from "./mask-line.ts";
import { maxTextBytes } from "./text-file.ts";
import type { Fault, Severity } from "./types.ts";

export interface FormatOptions {
  /** Default: no colour. */
  readonly color?: boolean;
  /** Lines of a file, for the frame under an error; undefined when there are none to show. Default: read from disk. */
  readonly linesOf?: (file: string) => readonly string[] | undefined;
}

const colors = { error: "red", warning: "yellow", note: "cyan" } as const;

/**
 * One finding after the other, each ending in a line feed; empty text for none. Never shows a credential: lines of
 * the files are masked, and messages hold none.
 */
export function formatFaults(faults: readonly Fault[], options: FormatOptions = {}): string {
  const linesOf = remember(options.linesOf ?? readLines);
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    options.color === true ? styleText(style, text, { validateStream: false }) : text;
  return faults.map((fault) => `${headline(fault, paint)}\n${fault.severity === "error" ? frame(fault, linesOf, paint) : ""}`).join("");
}

/** `2 errors, 1 warning and 3 notes`; empty text for none. */
export function countFaults(faults: readonly Fault[]): string {
  const counts = (["error", "warning", "note"] as const satisfies readonly Severity[])
    .map((severity) => ({ severity, count: faults.filter((fault) => fault.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}${count === 1 ? "" : "s"}`);
  return listWords(counts);
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

function headline({ severity, message, file, line, column, path }: Fault, paint: Paint): string {
  const position = [file, line, column].filter((part) => part !== undefined).join(":");
  const subject = path === undefined ? "" : `${paint("bold", printable(path))} `;
  return `${printable(position)}: ${paint(["bold", colors[severity]], severity)}: ${subject}${printable(message)}`;
}

function frame(
  { file, line, column, path, frame: given }: Fault,
  linesOf: (file: string) => readonly string[] | undefined,
  paint: Paint,
): string {
  if (given !== undefined) return given === "" ? "" : `${given}\n`;
  const source = line === undefined ? undefined : linesOf(file)?.[line - 1];
  if (line === undefined || source === undefined || source.length > maxFrameLine) return "";
  const drawn = drawFrame(maskLine(source, path), line, column ?? 1, (part, text) => paint(part === "caret" ? "red" : "dim", text));
  return drawn === "" ? "" : `${drawn}\n`;
}

function remember<Value>(read: (file: string) => Value): (file: string) => Value {
  const known = new Map<string, Value>();
  return (file) => {
    if (!known.has(file)) known.set(file, read(file));
    return known.get(file) as Value;
  };
}

function readLines(file: string): readonly string[] | undefined {
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > maxTextBytes) return undefined;
    return readFileSync(file, "utf8")
      .replace(/^\uFEFF/, "")
      .split(/\r?\n/);
  } catch {
    return undefined;
  }
}
