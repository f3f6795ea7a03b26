/** Renders one JSON log line for a person: one line a request, one line a message, code and findings below it. */

import type { Writable } from "node:stream";
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;
type LogRecord = Readonly<Record<string, unknown>>;

/**
 * Renders one line of the log file, without a line feed. A line that is not JSON comes back as it is.
 * Colours are used where `stream` shows them (a terminal, no NO_COLOR).
 */
export function formatLogLine(line: string, stream: Writable): string {
  const text = line.trimEnd();
  const record = parseRecord(text);
  if (record === undefined) return text;
  const paint: Paint = (style, part) => styleText(style, part, { stream });
  const time = paint("dim", localTime(record["time"]));
  return isRequest(record) ? `${time} ${requestLine(record, paint)}` : `${time} ${messageLine(record, paint)}`;
}

function parseRecord(text: string): LogRecord | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function localTime(time: unknown): string {
  const date = new Date(typeof time === "string" || typeof time === "number" ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? "--:--:--" : date.toTimeString().slice(0, 8);
}

/** The access record: `label`, `modelAsked`, `modelServed`, `status`, `inputTokens`, `outputTokens`, `ms`. */
function isRequest(record: LogRecord): boolean {
  return typeof record["status"] === "number" && typeof record["ms"] === "number";
}

function requestLine(record: LogRecord, paint: Paint): string {
  const asked = oneLine(record["modelAsked"]);
  const served = oneLine(record["modelServed"]);
  const what = asked === "" ? `${oneLine(record["method"])} ${oneLine(record["path"])}`.trim() : paint("cyan", asked);
  const problem = oneLine(shorten(record["error"]));
  return joinParts("  ", [
    statusText(Number(record["status"]), paint),
    paint("bold", oneLine(record["label"]) || "-"),
    served === "" || served === asked ? what : `${what} → ${paint("cyan", served)}`,
    joinParts(", ", [count(record["inputTokens"], "in"), count(record["outputTokens"], "out")]),
    duration(Number(record["ms"])),
    problem === "" ? "" : paint("red", problem),
  ]);
}

function joinParts(separator: string, parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(separator);
}

function statusText(status: number, paint: Paint): string {
  if (status >= 500) return paint("red", String(status));
  return paint(status >= 400 ? "yellow" : "green", String(status));
}

function count(value: unknown, direction: string): string {
  if (typeof value !== "number") return "";
  return `${value < 10_000 ? value : `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)}k`} ${direction}`;
}

function duration(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const levelStyles: Readonly<Record<string, Style>> = { error: "red", warn: "yellow", info: "green", debug: "dim" };
/** Shown in a place of their own, or not at all. */
const placedFields: ReadonlySet<string> = new Set(["level", "time", "msg", "frame", "stack"]);

function messageLine(record: LogRecord, paint: Paint): string {
  const level = oneLine(record["level"]);
  const message = oneLine(record["msg"]);
  const fields = Object.entries(record)
    .filter(([name, value]) => !placedFields.has(name) && value !== undefined && !isFindings(name, value))
    .map(([name, value]) => ({ name, text: oneLine(shorten(value)) }))
    // What the message says already is not said twice.
    .filter(({ text }) => text.length < 4 || !message.includes(text))
    .map(({ name, text }) => `${paint("dim", `${name}=`)}${text}`);
  const head = joinParts(" ", [paint(levelStyles[level] ?? "dim", level.padEnd(5)), message, ...fields]);
  return [head, ...faultLines(record["faults"]), ...frameLines(record["frame"])].join("\n");
}

function isFindings(name: string, value: unknown): boolean {
  return name === "faults" && Array.isArray(value);
}

/** Findings of a configuration that was refused, each with its line of code. */
function faultLines(faults: unknown): readonly string[] {
  if (!Array.isArray(faults)) return [];
  return faults.flatMap((fault: Partial<Record<"file" | "line" | "column" | "path" | "message" | "frame", unknown>> | null) => {
    const { file, line, column, path, message, frame } = fault ?? {};
    const position = joinParts(":", [file, line, column].map(oneLine));
    return [`  ${joinParts(" ", [`${position}:`, oneLine(path), oneLine(message)])}`, ...frameLines(frame)];
  });
}

function frameLines(frame: unknown): readonly string[] {
  if (typeof frame !== "string" || frame === "") return [];
  return frame.split("\n").map((line) => `  ${line.replaceAll(unsafe, " ")}`);
}

/** Of an error its message is enough here; the file has the stack. */
function shorten(value: unknown): unknown {
  return typeof value === "object" && value !== null && "message" in value ? value.message : value;
}

/** Control and direction characters: a logged text shall not move the cursor, forge a line or turn it around. */
const unsafe = /[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu;

function oneLine(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(unsafe, " ");
}
