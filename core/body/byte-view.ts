/** Finds the ends of JSON strings in bytes, four bytes at a step. */

/** A string still open after this many four-byte steps is a long one, where the native search pays for its call. */
const LONG_STRING_STEPS = 256;

/** Bytes, and the same memory as 32-bit words. */
export interface ByteView {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  /** Where bytes[0] stands in the first word: 0 to 3. */
  readonly shift: number;
}

/** Views bytes without copying them. */
export function viewBytes(source: Uint8Array): ByteView {
  const bytes = Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const shift = bytes.byteOffset & 3;
  return { bytes, shift, words: new Int32Array(bytes.buffer, bytes.byteOffset - shift, (bytes.length + shift) >> 2) };
}

/**
 * Looks for the quote that ends a string. What stands inside is not judged: bad escapes, control
 * characters and invalid UTF-8 are for the upstream.
 *
 * @param from offset just behind the opening quote
 * @returns offset of the closing quote, or -1 when the bytes end first
 */
export function findClosingQuote(view: ByteView, from: number): number {
  const { bytes, words, shift } = view;
  // Named in here, because a constant of a module is read anew each time.
  const quote = 0x22;
  const backslash = 0x5c;
  let at = from;
  // Code in JSON is full of \n and \". Only quotes are looked for, and each is judged by the backslashes before it.
  for (;;) {
    let word = (at + shift) >> 2;
    const stop = Math.min(words.length, word + LONG_STRING_STEPS);
    let hits = word < stop ? markQuotes(words[word]!, (1 << (((at + shift) & 3) << 3)) - 1) : 0;
    while (hits === 0 && ++word < stop) hits = markQuotes(words[word]!, 0);
    if (hits !== 0) {
      // The lowest mark is the first byte in memory: every platform this runs on is little-endian.
      at = (word << 2) - shift + ((31 - Math.clz32(hits & -hits)) >> 3);
    } else {
      at = bytes.indexOf(quote, at);
      if (at < 0) return -1;
    }
    if (bytes[at - 1] !== backslash || !isEscaped(bytes, at)) return at;
    at++;
  }
}

/**
 * Sets the highest bit of the bytes that are quotes: the usual search for a zero byte, after quotes were made
 * zero. Marks above the lowest may be wrong. Bytes under the mask `ignored` count as something else.
 */
function markQuotes(word: number, ignored: number): number {
  const zeroed = (word ^ 0x22222222) | ignored;
  return (zeroed - 0x01010101) & ~zeroed & 0x80808080;
}

function isEscaped(bytes: Uint8Array, quote: number): boolean {
  let at = quote - 1;
  while (bytes[at] === 0x5c) at--;
  return ((quote - at) & 1) === 0;
}
