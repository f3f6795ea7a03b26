/** Turns whatever user code threw into three short strings; nothing it is made of can throw, loop outside the time limit or grow. */

import type { ErrorInfo } from "../protocol.ts";

const maxErrorText = 4000;
const maxCauses = 3;

/** What went wrong within the rules of the sandbox, in words meant for the author. */
export class SandboxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SandboxError";
  }
}

/** Says a value is not what was wanted, e.g. the result of a phase. */
export class InvalidResult extends SandboxError {}

/**
 * @param thrown anything: errors, strings, symbols, null, proxies with hostile traps
 */
export function describeError(thrown: unknown): ErrorInfo {
  if (!isObject(thrown)) return { name: "Error", message: `threw ${describePrimitive(thrown)}`, stack: "" };
  const name = readText(thrown, "name", 100) ?? "Error";
  const message = readText(thrown, "message", maxErrorText) ?? "threw an object without a message";
  return { name, message: (message + describeErrors(thrown)).slice(0, maxErrorText), stack: describeStack(thrown) };
}

/** A short description of a value for messages: `a number (3)`, `an object`. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return `the text ${JSON.stringify(value.slice(0, 40))}`;
  const isShort = typeof value === "number" || typeof value === "boolean" || typeof value === "bigint";
  return isShort ? `a ${typeof value} (${describePrimitive(value)})` : `a ${typeof value}`;
}

function describePrimitive(value: unknown): string {
  // A large bigint would take minutes to print, in code that nothing can interrupt.
  if (typeof value === "bigint") return -(10n ** 40n) < value && value < 10n ** 40n ? String(value) : "a large bigint";
  return typeof value === "string" ? value.slice(0, maxErrorText) : String(value);
}

function describeStack(thrown: object): string {
  const lines: string[] = [];
  const seen: object[] = [];
  let current: unknown = thrown;
  while (isObject(current) && !seen.includes(current) && seen.length <= maxCauses) {
    if (seen.length > 0) lines.push(`Caused by ${readText(current, "message", 500) ?? "an object"}`);
    lines.push(...frames(readText(current, "stack", maxErrorText) ?? ""));
    seen.push(current);
    current = read(current, "cause");
  }
  return lines.join("\n").slice(0, maxErrorText);
}

/** Frames of the user's script only: those of the runtime tell an author nothing. */
function frames(stack: string): string[] {
  const first = stack.indexOf("\n    at ");
  if (first === -1) return [];
  return stack
    .slice(first + 1)
    .split("\n")
    .filter((line) => !line.includes(runtimeFile));
}

/** Name of the script that the runtime is. */
export const runtimeFile = "ccproxy:runtime";

/** The first errors of an AggregateError. */
function describeErrors(thrown: object): string {
  const errors = read(thrown, "errors");
  if (!Array.isArray(errors)) return "";
  const told: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    const error: unknown = read(errors, String(index));
    if (isObject(error)) told.push(readText(error, "message", 300) ?? "an object");
  }
  return told.length === 0 ? "" : ` [${told.join("; ")}]`;
}

function readText(from: object, key: string, maxLength: number): string | undefined {
  const value = read(from, key);
  return typeof value === "string" ? value.slice(0, maxLength) : undefined;
}

function read(from: object, key: string): unknown {
  try {
    const value: unknown = Reflect.get(from, key);
    return value;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
