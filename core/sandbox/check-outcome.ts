/** Reads what a host says came of its units. A host may have been taken over by what it ran: nothing is taken on trust. */

import type { Json } from "../../sdk/body.ts";
import type { Patch } from "../body/patch-format.ts";
import { isSettableHeader } from "../upstream/headers.ts";
import { isRecord, readError } from "./check-manifest.ts";
import { checkWrites, InvalidOutcome } from "./check-writes.ts";
import type { Phase, UnitOutcome, WireDecision, Writes } from "./protocol.ts";

/** As large as a request body may be. */
const maxOutcomeBytes = 32 * 1024 * 1024;
const maxVerdictLength = 200;
const maxMessageLength = 4000;
const maxHeaders = 64;
const maxHeaderLength = 8192;
const maxPatchDepth = 200;
const errorKinds: ReadonlySet<unknown> = new Set(["threw", "timeout", "memory", "invalid", "deadlock"]);

/**
 * Outcomes of the first of the units, at least of one. What a unit made wrong becomes its error.
 * @returns a text when the host itself does not keep to the protocol
 */
export function readOutcomes(value: unknown, units: readonly number[], phase: Phase, bytes: number): UnitOutcome[] | string {
  if (!Array.isArray(value) || value.length === 0 || value.length > units.length) return "it gave outcomes of other units than asked";
  const outcomes: UnitOutcome[] = [];
  for (const [index, outcome] of value.entries()) {
    if (!isRecord(outcome) || outcome["unit"] !== units[index]) return "it gave outcomes of other units than asked";
    outcomes.push(readOutcome(outcome, phase, bytes));
  }
  return outcomes;
}

function readOutcome(value: { readonly [key: string]: unknown }, phase: Phase, bytes: number): UnitOutcome {
  const unit = Number(value["unit"]);
  const us = readMicroseconds(value["us"]);
  try {
    if (bytes > maxOutcomeBytes) throw new InvalidOutcome("the outcome", `takes ${bytes} bytes; at most ${maxOutcomeBytes} are taken`);
    const writes = readWrites(value["writes"]);
    const error = readUnitError(value["error"]);
    if (error !== undefined) return { unit, us, error, ...(writes === undefined ? {} : { writes }) };
    const verdict = phase === "rule" ? readVerdict(value["verdict"]) : undefined;
    const decision = phase === "rule" ? undefined : readDecision(value["decision"]);
    const patch = phase === "rule" ? undefined : readPatch(value["patch"]);
    const headers = phase === "rule" ? undefined : readHeaders(value["headers"]);
    return {
      unit,
      us,
      ...(verdict === undefined ? {} : { verdict }),
      ...(decision === undefined ? {} : { decision }),
      ...(patch === undefined ? {} : { patch }),
      ...(headers === undefined ? {} : { headers }),
      ...(writes === undefined ? {} : { writes }),
    };
  } catch (error) {
    if (error instanceof InvalidOutcome) return { unit, us, error: invalid(error.message) };
    throw error;
  }
}

export function invalid(message: string): NonNullable<UnitOutcome["error"]> {
  return { kind: "invalid", name: "InvalidOutcome", message, stack: "" };
}

export function readMicroseconds(value: unknown): number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value) ? value : 0;
}

/** @throws InvalidOutcome */
export function readWrites(value: unknown): Writes | undefined {
  if (value === undefined || value === null) return undefined;
  checkWrites(value);
  return value;
}

export function readUnitError(value: unknown): UnitOutcome["error"] {
  const error = readError(value);
  if (error === undefined || !isRecord(value)) return undefined;
  const kind = value["kind"];
  return { ...error, kind: isErrorKind(kind) ? kind : "threw" };
}

function isErrorKind(value: unknown): value is NonNullable<UnitOutcome["error"]>["kind"] {
  return errorKinds.has(value);
}

function readVerdict(value: unknown): boolean | string | undefined {
  if (value === undefined || value === null || typeof value === "boolean") return value ?? undefined;
  if (typeof value !== "string") throw new InvalidOutcome("verdict", `is ${typeof value}; wanted true, false or a label`);
  if (value.length > maxVerdictLength)
    throw new InvalidOutcome("verdict", `is ${value.length} characters long; a label has at most ${maxVerdictLength}`);
  return value;
}

function readDecision(value: unknown): WireDecision | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw new InvalidOutcome("decision", "is no object");
  const { kind, status, message, reply } = value;
  if (kind === "deny") {
    if (typeof status !== "number" || !Number.isInteger(status) || status < 400 || status > 599) {
      throw new InvalidOutcome("decision.status", `is ${JSON.stringify(status)?.slice(0, 100)}; wanted 400 to 599`);
    }
    if (typeof message !== "string") throw new InvalidOutcome("decision.message", "is no text");
    return { kind, status, message: message.slice(0, maxMessageLength) };
  }
  if (kind !== "respond") throw new InvalidOutcome("decision.kind", "is neither respond nor deny");
  if (typeof reply === "string") return { kind, reply };
  if (!isRecord(reply)) throw new InvalidOutcome("decision.reply", "is neither a text nor an object with content");
  const { content, stop_reason: stopReason } = reply;
  if (!Array.isArray(content) || !content.every(isJsonObject))
    throw new InvalidOutcome("decision.reply.content", "is no list of content blocks");
  if (stopReason !== undefined && (typeof stopReason !== "string" || stopReason.length > maxVerdictLength)) {
    throw new InvalidOutcome("decision.reply.stop_reason", "is no short text");
  }
  return { kind, reply: { content, ...(stopReason === undefined ? {} : { stop_reason: stopReason }) } };
}

/** Whatever came out of JSON.parse is JSON inside. */
function isJsonObject(value: unknown): value is { readonly [key: string]: Json } {
  return isRecord(value);
}

function readHeaders(value: unknown): UnitOutcome["headers"] {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new InvalidOutcome("headers", "is no list");
  if (value.length > maxHeaders) throw new InvalidOutcome("headers", `has ${value.length} entries; at most ${maxHeaders} are taken`);
  return value.map((header: unknown, index): readonly [string, string | null] => {
    const [name, content]: readonly unknown[] = Array.isArray(header) ? header : [];
    if (typeof name !== "string" || !/^[!#$%&'*+.^_`|~0-9a-z-]{1,200}$/i.test(name))
      throw new InvalidOutcome(`headers[${index}]`, "has no name that a header may have");
    const path = `headers[${JSON.stringify(name)}]`;
    if (!isSettableHeader(name.toLowerCase()))
      throw new InvalidOutcome(path, "belongs to the connection, to a credential or to the proxy and cannot be set");
    if (content === null) return [name, null];
    if (typeof content !== "string" || content.length > maxHeaderLength || !/^[\t\x20-\x7e\x80-\xff]*$/.test(content)) {
      throw new InvalidOutcome(path, `is no text of at most ${maxHeaderLength} characters that a header may hold`);
    }
    return [name, content];
  });
}

/** Its shape only: whether it fits the document is seen when it is applied. */
function readPatch(value: unknown): Patch | undefined {
  if (value === undefined || value === null) return undefined;
  checkPatch(value, "patch", 0);
  return value;
}

function checkPatch(value: unknown, path: string, depth: number): asserts value is Patch {
  if (!isRecord(value)) throw new InvalidOutcome(path, "is no object");
  if (depth > maxPatchDepth) throw new InvalidOutcome(path, `is nested deeper than ${maxPatchDepth}`);
  const { v, o, e, a } = value;
  if (Object.keys(value).length !== 1) throw new InvalidOutcome(path, "is no patch: wanted one of v, o, e, a");
  if (typeof v === "string") return;
  if (isRecord(o)) {
    for (const [key, inner] of Object.entries(o)) {
      const at = `${path}.${key.slice(0, 100)}`;
      if (key === "__proto__") throw new InvalidOutcome(at, "is not to be set");
      if (inner !== null) checkPatch(inner, at, depth + 1);
    }
  } else if (isRecord(e)) {
    for (const [index, inner] of Object.entries(e)) {
      if (!/^(?:0|[1-9]\d{0,9})$/.test(index)) throw new InvalidOutcome(`${path}[${index.slice(0, 100)}]`, "is no index");
      checkPatch(inner, `${path}[${index}]`, depth + 1);
    }
  } else if (Array.isArray(a)) {
    for (const [index, piece] of a.entries()) checkPiece(piece, `${path}[${index}]`, depth + 1);
  } else throw new InvalidOutcome(path, "is no patch: wanted one of v, o, e, a");
}

function checkPiece(piece: unknown, path: string, depth: number): void {
  if (!Array.isArray(piece)) {
    if (!isRecord(piece) || typeof piece["v"] !== "string") throw new InvalidOutcome(path, "is neither a new element nor old ones");
    return;
  }
  const [first, second]: readonly unknown[] = piece;
  if (piece.length !== 2 || typeof first !== "number" || !Number.isSafeInteger(first) || first < 0)
    throw new InvalidOutcome(path, "names no old element");
  if (typeof second === "number" ? !Number.isSafeInteger(second) || second < first : !isRecord(second))
    throw new InvalidOutcome(path, "names no old elements");
  if (isRecord(second)) checkPatch(second, path, depth);
}
