/** Finds credentials in a text by their look, and a few by what stands before them. */

import { secretKinds, type SecretKind } from "./secret-kinds.ts";

export interface Found {
  readonly start: number;
  readonly end: number;
  /** E.g. `github_token`. */
  readonly kind: string;
}

/** What looks like a credential, in order; where two overlap, one that covers both. Its time grows with the length only. */
export function findSecrets(text: string, kinds: readonly SecretKind[] = secretKinds): Found[] {
  const found: Found[] = [];
  for (const kind of kinds) {
    if (kind.needs !== undefined && !text.includes(kind.needs)) continue;
    if (kind.pattern.global) found.push(...findByPattern(text, kind));
    else for (const anchor of kind.anchors) findAtAnchors(text, anchor, kind, found);
  }
  return merged(found);
}

/** The kinds that a text may hold: to look at many texts, ask once for all of them together. */
export function kindsWithin(text: string): readonly SecretKind[] {
  return secretKinds.flatMap((kind) => {
    const anchors = kind.anchors.filter((anchor) => text.includes(anchor));
    const isPossible = anchors.length > 0 && (kind.needs === undefined || text.includes(kind.needs));
    return !isPossible ? [] : [{ ...kind, anchors }];
  });
}

/** In order of their beginning; those that overlap as one, of the longer one's kind. */
export function merged(found: readonly Found[]): Found[] {
  const result: Found[] = [];
  for (const each of found.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last === undefined || each.start >= last.end) result.push(each);
    else {
      const { kind } = each.end - each.start > last.end - last.start ? each : last;
      result[result.length - 1] = { start: last.start, end: Math.max(last.end, each.end), kind };
    }
  }
  return result;
}

function findByPattern(text: string, { kind, anchors, pattern, accepts }: SecretKind): Found[] {
  if (!anchors.some((anchor) => text.includes(anchor))) return [];
  return Array.from(text.matchAll(pattern), (match) => foundIn(match, kind)).filter(
    ({ start, end }) => accepts?.(text.slice(start, end)) !== false,
  );
}

function findAtAnchors(text: string, anchor: string, { kind, pattern, boundary, accepts }: SecretKind, found: Found[]): void {
  // A plain search first: it is many times as fast as a pattern, which is tried where it may fit.
  let at = text.indexOf(anchor);
  while (at >= 0) {
    let next = at + anchor.length;
    pattern.lastIndex = at;
    const match = boundary === "any" || beginsWord(text, at) ? pattern.exec(text) : null;
    if (match !== null) {
      // Also past what is not accepted: nothing is looked at twice.
      next = Math.max(next, at + match[0].length);
      const hit = foundIn(match, kind);
      if (accepts?.(text.slice(hit.start, hit.end)) !== false) found.push(hit);
    }
    at = text.indexOf(anchor, next);
  }
}

/** The value stands at the end of what the pattern takes in. */
function foundIn(match: RegExpExecArray, kind: string): Found {
  const end = match.index + match[0].length;
  return { start: end - (match[1] ?? match[0]).length, end, kind };
}

/** Not in the middle of a word (`risk-…`, `x-eyJ…`); but behind an escape as in `\nsk-…` or `%20sk-…` it is the beginning of one. */
function beginsWord(text: string, at: number): boolean {
  if (!/[\w-]/.test(text.charAt(at - 1))) return true;
  return text.charAt(at - 2) === "\\" || /^%[0-9A-Fa-f]{2}$/.test(text.slice(Math.max(0, at - 3), at));
}
