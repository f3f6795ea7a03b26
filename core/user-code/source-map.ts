/** Leads positions in a bundle back to the lines that the user wrote. */

import { SourceMap, type SourceMapPayload } from "node:module";
import type { Location } from "../config/types.ts";
import { codeFrame, maskText } from "./mask-code.ts";
import type { UserUnit } from "./types.ts";

/** An error as it can be shown: no credentials, positions in the user's own files. */
export interface MappedError {
  /** e.g. `TypeError: x is not a function`. */
  readonly message: string;
  /** The innermost frame in the user's code; undefined when there is none. */
  readonly position: Location | undefined;
  /** Lines `at name (rules/vip.ts:5:12)`; empty when no frame lies in the user's code. */
  readonly stack: string;
  /** The line at the position, with a caret below; empty when it is not at hand. */
  readonly frame: string;
}

const maxFrames = 16;
const maxStack = 4000;
const maxMessage = 1000;

const known = new WeakMap<object, Origins>();

/** An error of this unit; its map is read when the first one comes, and kept for as long as the unit is. */
export function mapUnitError(
  unit: Pick<UserUnit, "file" | "path" | "map">,
  { name, message, stack }: { readonly name: string; readonly message: string; readonly stack: string },
): MappedError {
  const origins = known.get(unit) ?? createOrigins(unit.map, unit.file);
  known.set(unit, origins);
  const text = maskText(`${name}: ${message}`.slice(0, maxMessage));
  const first = stack
    .slice(0, maxStack * 4)
    .split("\n")
    .flatMap((line) => origins.of(line)?.origin ?? [])[0];
  if (first === undefined) return { message: text, position: undefined, stack: "", frame: "" };
  const position = { file: pathOf(first.source, unit), line: first.line, column: first.column };
  const line = origins.lineOf(first.source, first.line);
  const frame = line === undefined ? "" : codeFrame(line, first.line, first.column);
  return { message: text, position, stack: origins.map(stack), frame };
}

/** Files of the user's folder stand as far from the unit's as their names say; others are told by their name. */
function pathOf(source: string, { file, path }: Pick<UserUnit, "file" | "path">): string {
  if (source === file) return path;
  const isOutside = /^(?:npm|ccproxy)[:/]/.test(source) || /^(?:npm|ccproxy)[:/]/.test(file);
  return isOutside || !path.endsWith(`/${file}`) ? source : `${path.slice(0, -file.length)}${source}`;
}

/**
 * @param map  source map of a bundle, JSON
 * @param file name under which the bundle runs
 * @returns leads a stack back: frames outside of the bundle are left out, the rest is in the user's files
 */
export function createStackMapper(map: string, file: string): (stack: string) => string {
  const origins = createOrigins(map, file);
  return (stack) => origins.map(stack);
}

interface Origin {
  /** Name of the file in the map, e.g. `rules/vip.ts`. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

interface Origins {
  /** Undefined for a line that is no frame of the bundle. */
  of(line: string): { readonly origin: Origin; readonly text: string } | undefined;
  map(stack: string): string;
  /** The text of a line; undefined when the map does not hold the file. */
  lineOf(source: string, line: number): string | undefined;
}

const frameLine = /^\s*at (?:(.*) \()?(.*?):(\d+):(\d+)\)?$/;

function createOrigins(map: string, file: string): Origins {
  // A sandbox names the script so; blanks cannot stand there.
  const script = file.replaceAll(/\s/g, "_");
  let payload: SourceMapPayload | undefined;
  let parsed: SourceMap | undefined;

  function read(): SourceMapPayload {
    payload ??= JSON.parse(map) as SourceMapPayload;
    return payload;
  }

  function of(line: string): { readonly origin: Origin; readonly text: string } | undefined {
    const [, name, where, row = "", column = ""] = frameLine.exec(line.slice(0, 1000)) ?? [];
    if (where !== script) return undefined;
    parsed ??= new SourceMap(read());
    const entry = parsed.findOrigin(Number(row), Number(column));
    if (!("fileName" in entry) || !entry.fileName) return undefined;
    const origin = { source: entry.fileName, line: entry.lineNumber, column: entry.columnNumber };
    const position = `${origin.source}:${origin.line}:${origin.column}`;
    // The script is evaluated: that is what functions without a name are called after.
    const called = name?.replace(/^(?:\w+\.)?eval(?: \[as (.+)\])?$/, "$1") ?? "";
    return { origin, text: called === "" ? `    at ${position}` : `    at ${called} (${position})` };
  }

  return {
    of,
    map(stack) {
      const lines: string[] = [];
      let frames = 0;
      for (const line of stack.slice(0, maxStack * 4).split("\n")) {
        const isFrame = /^\s+at /.test(line);
        const mapped = isFrame && frames < maxFrames ? of(line)?.text : undefined;
        if (mapped !== undefined) frames += 1;
        if (mapped !== undefined) lines.push(mapped);
        else if (!isFrame) lines.push(maskText(line));
      }
      return lines.join("\n").slice(0, maxStack);
    },
    lineOf(source, line) {
      const { sources, sourcesContent } = read();
      const index = sources.indexOf(source);
      return index < 0 ? undefined : sourcesContent[index]?.split("\n")[line - 1];
    },
  };
}
