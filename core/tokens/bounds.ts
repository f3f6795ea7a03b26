/** How many tokens a part can hold at least and at most, from its size in bytes. */

import type { Unit } from "./count-plan.ts";
import { LEAST_TOKENS_PER_PLAIN_TOKEN } from "./calibration.ts";
import { MOST_PDF_PAGES, PDF_PAGE_TOKENS } from "./pdf-pages.ts";

export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** The longest token of the vocabulary: 128 spaces. */
const LONGEST_TOKEN_BYTES = 128;
/** The longest way JSON can write one byte of text: `\u0041`. */
const LONGEST_ESCAPE_BYTES = 6;
const QUOTES = 2;

/** Holds for every count the worker can return for the unit. */
export function unitBounds(unit: Unit): Bounds {
  const bytes = unit.span.end - unit.span.start;
  if (unit.kind === "pdf") return { lower: 0, upper: MOST_PDF_PAGES * PDF_PAGE_TOKENS.newer };
  // Structure may vanish when JSON is rendered anew (blanks between tokens), so only text has a lower bound.
  const textBytes = unit.kind === "json" ? 0 : Math.max(0, bytes - QUOTES) / LONGEST_ESCAPE_BYTES;
  return { lower: Math.floor((textBytes / LONGEST_TOKEN_BYTES) * LEAST_TOKENS_PER_PLAIN_TOKEN), upper: bytes };
}
