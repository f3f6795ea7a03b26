/** Checks the form of a patch, piece by piece: it comes from code that nobody trusts. */

import { PatchError } from "./patch-error.ts";

/** Deeper documents are refused by vendors, too, and cost those who read them their stack. */
export const DEEPEST_JSON = 200;

/** A patch in which the form of this one level was checked. */
export type PatchLevel =
  | { readonly type: "value"; readonly text: string }
  | ObjectLevel
  | ElementsLevel
  | { readonly type: "array"; readonly pieces: readonly PieceLevel[] };

export interface ObjectLevel {
  readonly type: "object";
  readonly members: readonly (readonly [key: string, patch: unknown])[];
}

export interface ElementsLevel {
  readonly type: "elements";
  readonly elements: readonly (readonly [index: number, patch: unknown])[];
}

export type PieceLevel =
  | { readonly type: "old"; readonly first: number; readonly last: number }
  | { readonly type: "changed"; readonly index: number; readonly patch: unknown }
  | { readonly type: "new"; readonly text: string };

/**
 * @param most members, elements or pieces
 * @throws PatchError when this is no patch, or has more of them
 */
export function readPatchLevel(patch: unknown, path: string, most: number): PatchLevel {
  if (!isRecord(patch)) throw new PatchError(path, "it is no patch: wanted an object with one of v, o, e, a");
  const [kind, ...others] = Object.keys(patch);
  if (kind === undefined || others.length > 0) throw new PatchError(path, "it is no patch: wanted exactly one of v, o, e, a");
  const content = patch[kind];
  if (countMembers(content) > most) throw new PatchError(path, "the patch takes too many steps");
  if (kind === "v" && typeof content === "string") return { type: "value", text: content };
  if (kind === "o" && isRecord(content)) return { type: "object", members: Object.entries(content) };
  if (kind === "e" && isRecord(content)) {
    return { type: "elements", elements: Object.entries(content).map(([index, patch]) => [readIndex(index, path), patch]) };
  }
  if (kind === "a" && Array.isArray(content)) return { type: "array", pieces: content.map((piece) => readPiece(piece, path)) };
  throw new PatchError(path, "it is no patch: wanted v with a text, o or e with an object, or a with a list");
}

function countMembers(content: unknown): number {
  if (Array.isArray(content)) return content.length;
  return isRecord(content) ? Object.keys(content).length : 0;
}

function readIndex(text: string, path: string): number {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(text)) throw new PatchError(path, "an index of e is no whole number");
  return Number(text);
}

function readPiece(piece: unknown, path: string): PieceLevel {
  if (isRecord(piece)) {
    const level = readPatchLevel(piece, path, 0);
    if (level.type === "value") return { type: "new", text: level.text };
  } else if (Array.isArray(piece) && piece.length === 2) {
    const [first, second]: readonly unknown[] = piece;
    if (isIndex(first) && isIndex(second) && first <= second) return { type: "old", first, last: second };
    if (isIndex(first) && isRecord(second)) return { type: "changed", index: first, patch: second };
  }
  throw new PatchError(path, "a piece of a is none: wanted [first, last], [index, patch] or a new value");
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface NewValue {
  readonly bytes: Buffer;
  /** Parsed. */
  readonly value: unknown;
}

/**
 * The bytes of a new value: exactly one JSON value, and nothing else can come in with it.
 *
 * @param depth levels around it
 * @throws PatchError when the text is not JSON, or too deep
 */
export function readNewValue(text: string, path: string, depth: number): NewValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PatchError(path, "the new value is not JSON");
  }
  if (isDeeperThan(value, DEEPEST_JSON - depth)) throw new PatchError(path, `the new value goes deeper than ${DEEPEST_JSON} levels`);
  // Half of a surrogate pair has no place in UTF-8; written anew it is escaped.
  return { bytes: Buffer.from(text.isWellFormed() ? text : JSON.stringify(value)), value };
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels <= 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
