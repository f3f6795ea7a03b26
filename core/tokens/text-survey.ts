/** One pass over a text: counts what tokenizers treat differently, and finds where overlong words can be cut. */

/** What a text is made of, in UTF-16 units unless said. */
export interface Features {
  /** Runs of ASCII letters. */
  readonly words: number;
  /** Words that begin with a capital. */
  readonly capitalised: number;
  /** Capitals behind a small letter: `fooBar` has one. */
  readonly humps: number;
  /** Capitals behind a capital. */
  readonly furtherCapitals: number;
  readonly digits: number;
  /** ASCII punctuation and control characters. */
  readonly marks: number;
  /** Runs of these. */
  readonly markRuns: number;
  /** Words right behind a mark: `.foo`, `(foo`. */
  readonly gluedWords: number;
  /** Line ends and tabs. */
  readonly lineEnds: number;
  /** Spaces that follow a space. */
  readonly furtherSpaces: number;
  /** Letters of words beyond their seventh. */
  readonly lateLetters: number;
  /** Accented Latin letters and other characters up to U+024F. */
  readonly latin: number;
  /** Further alphabets, up to U+1FFF. */
  readonly alphabetic: number;
  /** Han and full-width forms. */
  readonly han: number;
  readonly kana: number;
  readonly hangul: number;
}

export interface Survey {
  readonly features: Features;
  /** Ascending offsets inside runs of one kind that are longer than {@link LONGEST_RUN}. */
  readonly cuts: readonly number[];
}

/** Byte-pair encoding takes time quadratic in the length of one word: 100,000 letters cost 4 s. */
export const LONGEST_RUN = 128;

const LOWER = 0;
const UPPER = 1;
const DIGIT = 2;
const SPACE = 3;
const LINE = 4;
const MARK = 5;
const LATIN = 6;
const ALPHABETIC = 7;
const HAN = 8;
const KANA = 9;
const HANGUL = 10;
const SYMBOL = 11;

/** Classes that a tokenizer keeps together in one piece carry the same number. */
const GROUP_OF_CLASS = Uint8Array.of(0, 0, 1, 2, 2, 3, 0, 0, 0, 0, 0, 3);
const CLASS_OF_ASCII = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 0x61 && code <= 0x7a) return LOWER;
  if (code >= 0x41 && code <= 0x5a) return UPPER;
  if (code >= 0x30 && code <= 0x39) return DIGIT;
  if (code === 0x20) return SPACE;
  return code === 0x0a || code === 0x0d || code === 0x09 ? LINE : MARK;
});
const WORD_START_LETTERS = 7;

export function surveyText(text: string): Survey {
  const totals = new Uint32Array(12);
  const cuts: number[] = [];
  let words = 0;
  let capitalised = 0;
  let humps = 0;
  let gluedWords = 0;
  let markRuns = 0;
  let furtherSpaces = 0;
  let lateLetters = 0;
  let letters = 0;
  let before = -1;
  let runStart = 0;

  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? (CLASS_OF_ASCII[code] ?? MARK) : classOfWide(code);
    totals[kind] = (totals[kind] ?? 0) + 1;
    if (kind <= UPPER) {
      if (before !== LOWER && before !== UPPER) {
        words++;
        if (kind === UPPER) capitalised++;
        if (before === MARK) gluedWords++;
      } else if (kind === UPPER && before === LOWER) humps++;
      if (++letters > WORD_START_LETTERS) lateLetters++;
    } else {
      letters = 0;
      if (kind === MARK && before !== MARK) markRuns++;
      if (kind === SPACE && before === SPACE) furtherSpaces++;
    }
    if (before < 0 || GROUP_OF_CLASS[kind] !== GROUP_OF_CLASS[before]) runStart = at;
    else if (at - runStart >= LONGEST_RUN && !isLowSurrogate(code)) {
      cuts.push(at);
      runStart = at;
    }
    before = kind;
  }

  const total = (kind: number): number => totals[kind] ?? 0;
  return {
    cuts,
    features: {
      words,
      capitalised,
      humps,
      furtherCapitals: total(UPPER) - capitalised - humps,
      digits: total(DIGIT),
      marks: total(MARK),
      markRuns,
      gluedWords,
      lineEnds: total(LINE),
      furtherSpaces,
      lateLetters,
      latin: total(LATIN),
      alphabetic: total(ALPHABETIC),
      han: total(HAN),
      kana: total(KANA),
      hangul: total(HANGUL),
    },
  };
}

function classOfWide(code: number): number {
  if (code < 0x250) return LATIN;
  if (code < 0x2000) return ALPHABETIC;
  if (code >= 0x3040 && code <= 0x30ff) return KANA;
  if (code >= 0xac00 && code <= 0xd7a3) return HANGUL;
  const isHan = (code >= 0x3000 && code <= 0x9fff) || (code >= 0xf900 && code < 0xfb00) || (code >= 0xff00 && code < 0xfff0);
  return isHan ? HAN : SYMBOL;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
