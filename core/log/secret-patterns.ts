/** Recognises keys and tokens by their look, for the secrets nobody told us of. */

const mark = "[redacted]";

/**
 * Literal beginnings first: the engine then skips what cannot match. No part can be retried over the same
 * characters, so the time grows with the length of the text and nothing else.
 */
const tokens = new RegExp(
  [
    String.raw`sk-ant-[\w-]{4,}`,
    // Not the end of a word ("risk-…"), but after an escape such as %3d, \n or \u003d it is a key.
    String.raw`sk-(?<=(?<!(?<!%[\dA-Fa-f]|\\|\\u[\dA-Fa-f]{3})[A-Za-z])sk-)[\w-]{16,}`,
    String.raw`A[KS]IA[\dA-Z]{16}`,
    String.raw`ya29\.[\w-]{10,}`,
    // A JSON Web Token, or any other JSON in base64.
    String.raw`eyJ[\w-]{13,}(?:\.[\w-]+){0,2}`,
  ].join("|"),
  "g",
);

/** What introduces a value that is secret by its position, whatever it looks like. */
const positions = new RegExp(
  [
    String.raw`([Bb]earer|BEARER)((?:\s|%20|\+){1,8})(?!\[redacted)[\w.~+/=%:-]{8,}`,
    String.raw`((?:[Xx]-(?:goog-)?)?[Aa]pi[-_][Kk]ey|[Aa]uthorization|x-ccproxy-token)` +
      String.raw`((?:\\{0,7}["'])?\s{0,4}[:=,]\s{0,4}(?:\\{0,7}["'])?(?:[Bb]asic\s{1,4})?)` +
      String.raw`(?!\[redacted|[Bb]earer|BEARER|[Bb]asic)[^\s"'\\,;&{}[\]]+`,
  ].join("|"),
  "g",
);

/** Replaces everything that looks like a credential by `[redacted]`. Doing it again changes nothing. */
export function redactPatterns(text: string): string {
  return text.replace(tokens, mark).replace(positions, keepIntroduction);
}

function keepIntroduction(_match: string, scheme?: string, gap?: string, name?: string, separator?: string): string {
  return `${scheme ?? name}${gap ?? separator}${mark}`;
}
