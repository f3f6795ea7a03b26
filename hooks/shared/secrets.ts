/** Finds credentials in a text by their look, and a few by what stands before them. */

import { secretKinds, type SecretKind } from "./secret-kinds.ts";

export interface Found {
  readonly start: number;
  readonly end: number;
  /** E.g. `github_token`. */
  readonly kind: string;
}

/** What looks like a credential, in order; where two overlap, one that covers both. Its time grows with the length only. */
export function findSecrets(text: string): Found[] {
  return merged(secretKinds.flatMap((kind) => kind.anchors.flatMap((anchor) => findAll(text, anchor, kind))));
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

function findAll(text: string, anchor: string, { kind, pattern, boundary, accepts }: SecretKind): Found[] {
  const found: Found[] = [];
  // A plain search first: it is many times as fast as a pattern, which is tried where it may fit.
  let at = text.indexOf(anchor);
  while (at >= 0) {
    let next = at + anchor.length;
    pattern.lastIndex = at;
    const match = boundary === "any" || beginsWord(text, at) ? pattern.exec(text) : null;
    if (match !== null) {
      // Also past what is not accepted: nothing is looked at twice.
      next = Math.max(next, at + match[0].length);
      // The value stands at the end of what the pattern takes in.
      const value = match[1] ?? match[0];
      const end = at + match[0].length;
      if (accepts?.(value) !== false) found.push({ start: end - value.length, end, kind });
    }
    at = text.indexOf(anchor, next);
  }
  return found;
}

/** Not in the middle of a word (`risk-…`, `x-eyJ…`); but behind an escape as in `\nsk-…` or `%20sk-…` it is the beginning of one. */
function beginsWord(text: string, at: number): boolean {
  if (!/[\w-]/.test(text.charAt(at - 1))) return true;
  return text.charAt(at - 2) === "\\" || /^%[0-9A-Fa-f]{2}$/.test(text.slice(Math.max(0, at - 3), at));
}
