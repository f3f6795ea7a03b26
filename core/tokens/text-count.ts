/** Counts the tokens of one text for three tokenizers at once. */

import { calibrate } from "./calibration.ts";
import type { Encoding } from "./count-plan.ts";
import { surveyText } from "./text-survey.ts";

/** Tokens of one part under each encoding. */
export type TextCount = Readonly<Record<Encoding, number>>;

/** @param encode counts the plain tokens of a text without very long words */
export function countText(text: string, encode: (text: string) => number): TextCount {
  const { features, cuts } = surveyText(text);
  let plain = 0;
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    if (cut > from) plain += encode(text.slice(from, cut));
    from = cut;
  }
  return { plain, ...calibrate(plain, features) };
}
