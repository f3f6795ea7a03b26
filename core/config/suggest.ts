/** Did-you-mean: the known word nearest to one that is not known. */

import { distance } from "fastest-levenshtein";

/** The nearest candidate when it is near enough to be what was meant; case and `-` against `_` do not count. */
function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(word);
  let best: string | undefined;
  // Two letters that changed places count as two steps.
  let bestDistance = (wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3))) + 1;
  for (const candidate of candidates) {
    const steps = distance(wanted, fold(candidate));
    if (steps < bestDistance) {
      best = candidate;
      bestDistance = steps;
    }
  }
  return best;
}

/** ` Did you mean "x"?` with its leading space, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const best = suggest(word, candidates);
  return best === undefined ? "" : ` Did you mean "${best}"?`;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}
