/** From plain tokens to those of two generations of Claude, whose tokenizers are not published. */

import type { Features } from "./text-survey.ts";

/**
 * How many tokens each feature adds. Fitted (non-negative least squares on the relative error) to 920 texts of
 * up to 6,000 characters and 1,300 of a few lines: source code, file listings with line numbers, Markdown, JSON, shell output, manuals,
 * licences, and prose in twenty languages. `docs/rules.md` says what the figures were compared with and how
 * far off they are.
 */
type Weights = Readonly<Record<keyof Features | "plain", number>>;

/** Claude 3 up to 4.6. */
const OLDER: Weights = {
  plain: 0.647,
  words: 0.361,
  capitalised: 0.137,
  humps: 0.963,
  furtherCapitals: 0.162,
  digits: 0.276,
  marks: 0.033,
  markRuns: 0.455,
  gluedWords: 0.361,
  lineEnds: 0.472,
  furtherSpaces: 0.059,
  lateLetters: 0.045,
  latin: 0.578,
  alphabetic: 0.109,
  han: 0.484,
  kana: 0.081,
  hangul: 0.624,
};

/** Claude 4.7 and later. */
const NEWER: Weights = {
  plain: 0.67,
  words: 0.61,
  capitalised: 0.725,
  humps: 0.808,
  furtherCapitals: 0.465,
  digits: 0.261,
  marks: 0.198,
  markRuns: 0.525,
  gluedWords: 0.255,
  lineEnds: 0.424,
  furtherSpaces: 0.055,
  lateLetters: 0.314,
  latin: 0.619,
  alphabetic: 0.084,
  han: 0.393,
  kana: 0.041,
  hangul: 0.526,
};

/** A calibrated count is never below this part of the plain one, as no weight is negative. */
export const LEAST_TOKENS_PER_PLAIN_TOKEN: number = Math.min(1, OLDER.plain, NEWER.plain);

export function calibrate(plain: number, features: Features): { readonly older: number; readonly newer: number } {
  return { older: weigh(OLDER, plain, features), newer: weigh(NEWER, plain, features) };
}

function weigh(weights: Weights, plain: number, features: Features): number {
  const { plain: perToken, ...perFeature } = weights;
  const added = Object.entries(perFeature).reduce((sum, [name, weight]) => sum + weight * (features[name as keyof Features] ?? 0), 0);
  return perToken * plain + added;
}
