/** Whole words in a text, in any alphabet. */

/** Whether one of these words or phrases stands in the text, not as a part of a longer word; case does not matter. */
export function mentions(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.some((word) => holdsWord(lower, word.toLowerCase()));
}

function holdsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    // A mark such as the slash of "/deep" is its own boundary.
    const begins = !isLetter(text.charAt(at - 1)) || !isLetter(word.charAt(0));
    const ends = !isLetter(text.charAt(at + word.length)) || !isLetter(word.charAt(word.length - 1));
    if (begins && ends) return true;
  }
  return false;
}

function isLetter(character: string): boolean {
  return /[\p{L}\p{N}_]/u.test(character);
}
