/** What user code says: lines for the log, bounded, and the console that writes them. */

import type { Writes } from "../protocol.ts";
import { describeError } from "./errors.ts";

type Level = "debug" | "info" | "warn" | "error";

const maxLineLength = 4096;
const maxLogLength = 65_536;
const maxLines = 1000;

/** Lines of one run. */
export interface Log {
  write(level: Level, values: readonly unknown[]): void;
  /** JSON of the lines since the last time; undefined when there are none. */
  take(): string | undefined;
  /** Hands its lines over to another one. */
  moveTo(other: Log): void;
  isEmpty(): boolean;
}

export function createLog(): Log {
  let lines: NonNullable<Writes["logs"]>[number][] = [];
  let length = 0;
  return {
    write(level, values) {
      if (length >= maxLogLength) return;
      const text = formatLine(values);
      length += text.length + 20;
      if (length < maxLogLength && lines.length < maxLines) {
        lines.push({ level, text });
        return;
      }
      length = maxLogLength;
      lines.push({ level: "warn", text: "the log of this call is full (64 KB or 1,000 lines); what followed was dropped" });
    },
    take() {
      if (lines.length === 0) return undefined;
      const text = JSON.stringify(lines);
      lines = [];
      length = 0;
      return text;
    },
    isEmpty: () => lines.length === 0,
    moveTo(other) {
      for (const { level, text } of lines) other.write(level, [text]);
      lines = [];
      length = 0;
    },
  };
}

/** Texts as they are, errors with their stack, everything else as JSON. */
function formatLine(values: readonly unknown[]): string {
  let line = "";
  for (const value of values) {
    if (line.length > maxLineLength) break;
    if (line !== "") line += " ";
    line += typeof value === "string" ? value.slice(0, maxLineLength) : formatValue(value);
  }
  return line.length > maxLineLength ? `${line.slice(0, maxLineLength - 2)} …` : line;
}

function formatValue(value: unknown): string {
  if (typeof value === "bigint" || typeof value === "symbol") return describeError(value).message.slice("threw ".length);
  if (value === null || typeof value !== "object") return typeof value === "function" ? "[function]" : String(value);
  if (value instanceof Error) {
    const { name, message, stack } = describeError(value);
    return `${name}: ${message}${stack === "" ? "" : `\n${stack}`}`;
  }
  try {
    return (JSON.stringify(value) ?? "[object]").slice(0, maxLineLength);
  } catch (error) {
    return `[not JSON: ${describeError(error).message.slice(0, 200)}]`;
  }
}

/** @param current the log of the run that is going on */
export function createConsole(current: () => Log): object {
  const writer =
    (level: Level) =>
    (...values: unknown[]): void =>
      current().write(level, values);
  const info = writer("info");
  const nothing = (): void => undefined;
  return {
    log: info,
    info,
    debug: writer("debug"),
    trace: writer("debug"),
    warn: writer("warn"),
    error: writer("error"),
    dir: info,
    table: info,
    group: info,
    groupCollapsed: info,
    groupEnd: nothing,
    time: nothing,
    timeEnd: nothing,
    timeLog: nothing,
    count: nothing,
    countReset: nothing,
    clear: nothing,
    assert: (condition: unknown, ...values: unknown[]): void => {
      if (!condition) current().write("error", ["Assertion failed", ...values]);
    },
  };
}
