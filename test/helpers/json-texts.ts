/** Generates JSON as text, not as values: everything a parse and a stringify would change is in it. */

import * as fc from "fast-check";

/** One member of the object, as written. */
interface MemberText {
  /** What the key stands for. */
  readonly name: string;
  /** The key as written, quotes and escapes included. */
  readonly key: string;
  readonly value: string;
}

export interface JsonObjectText {
  readonly text: string;
  readonly bytes: Buffer;
  readonly members: readonly MemberText[];
  /**
   * The same text written anew from its pieces with other values (JSON) for these names, in every place they
   * stand; names that are absent come first, without whitespace.
   */
  readonly replaced: (values: ReadonlyMap<string, string>) => string;
}

/** A member together with the whitespace before the key, around the colon and behind the value. */
type Piece = MemberText & { readonly gaps: readonly [string, string, string, string] };

/** A valid JSON object, up to some kilobytes, with names that proxies care for among its keys. */
export function jsonObjectText(): fc.Arbitrary<JsonObjectText> {
  // Tuples, not records: of a million records, half of them without a prototype, two lacked a member here, for no
  // reason that could be found.
  const gaps = fc.tuple(gap(), gap(), gap(), gap());
  const piece = fc.tuple(keyText(), valueText(), gaps).map(([{ name, key }, value, around]): Piece => ({ name, key, value, gaps: around }));
  return fc.tuple(gap(), fc.array(piece, { maxLength: 7 }), gap(), gap()).map(([before, pieces, inside, after]) => {
    const write = (values: ReadonlyMap<string, string>): string => {
      const present = new Set(pieces.map((each) => each.name));
      const absent = [...values].filter(([name]) => !present.has(name)).map(([name, json]) => `${JSON.stringify(name)}:${json}`);
      const kept = pieces.map(
        ({ name, key, value, gaps }) => `${gaps[0]}${key}${gaps[1]}:${gaps[2]}${values.get(name) ?? value}${gaps[3]}`,
      );
      const content = kept.length === 0 ? absent.join(",") + inside : [...absent, ...kept].join(",");
      return `${before}{${content}}${after}`;
    };
    const text = write(new Map());
    return { text, bytes: Buffer.from(text), members: pieces, replaced: write };
  });
}

/** Any valid JSON value as text. */
export function valueText(): fc.Arbitrary<string> {
  return fc.oneof({ weight: 8, arbitrary: nestedText }, { weight: 1, arbitrary: deepText() });
}

const names = [
  "model",
  "messages",
  "stream",
  "tools",
  "metadata",
  "",
  "a",
  "__proto__",
  "constructor",
  "0",
  "é",
  "😀",
  'quo"te',
  "back\\slash",
  "tab\t",
];

/** A key, any of its characters escaped. */
function keyText(): fc.Arbitrary<{ name: string; key: string }> {
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  );
  return fc.tuple(name, fc.infiniteStream(fc.nat({ max: 5 }))).map(([name, choices]) => {
    const key = Array.from({ length: name.length }, (_, at) => writeUnit(name[at]!, choices.next().value === 0)).join("");
    return { name, key: `"${joinSurrogates(key)}"` };
  });
}

/** Writes one UTF-16 unit. Half of a pair is always escaped: alone it has no place in UTF-8. */
function writeUnit(unit: string, escaped: boolean): string {
  const code = unit.charCodeAt(0);
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  if (!escaped && code >= 0x20 && unit !== '"' && unit !== "\\" && !isSurrogate) return unit;
  const hex = code.toString(16).padStart(4, "0");
  return `\\u${code % 2 === 0 ? hex : hex.toUpperCase()}`;
}

/** Turns some escaped pairs back into the character itself, so that four-byte UTF-8 is covered. */
function joinSurrogates(text: string): string {
  return text.replace(/\\u(d83d)\\u(de00)/gi, "😀");
}

function gap(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "\r"), maxLength: 6 }) },
  );
}

function numberText(): fc.Arbitrary<string> {
  const odd = ["0", "-0", "1.0", "1e400", "-1e400", "1E+2", "1e-7", "0.1000", "12345678901234567890", "0.1234567890123456789", "-0.0e-0"];
  return fc.oneof(
    fc.constantFrom(...odd),
    fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }).map((number) => `${number}`),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  );
}

function stringText(): fc.Arbitrary<string> {
  const plain = ["a", "0", " ", "/", ",", ":", "{", "}", "[", "]", "#", "!", "é", "😀", "\u007f", "\u2028", "function () { return x; }"];
  const escapes = ['\\"', "\\\\", "\\/", "\\n", "\\t", "\\b", "\\f", "\\r", "\\u00e9", "\\u00E9", "\\u0022", "\\u005c", "\\u0000"];
  const surrogates = ["\\ud83d\\ude00", "\\ud800", "\\udfff\\ud800"];
  const pieces = [...plain, ...escapes, ...surrogates];
  const short = fc.string({ unit: fc.constantFrom(...pieces), maxLength: 24 });
  // Around the lengths where the scan changes its ways, and beyond.
  const long = fc
    .tuple(fc.constantFrom(...pieces), fc.constantFrom(1, 30, 60, 64, 70, 1030, 2100), short)
    .map(([piece, times, rest]) => piece.repeat(times) + rest);
  return fc.oneof({ weight: 12, arbitrary: short }, { weight: 1, arbitrary: long }).map((content) => `"${content}"`);
}

/** Some hundred brackets around one value. */
function deepText(): fc.Arbitrary<string> {
  return fc.tuple(fc.integer({ min: 1, max: 150 }), fc.boolean(), numberText()).map(([depth, isArray, core]) => {
    const [open, close] = isArray ? ["[", "]"] : ['{"":', "}"];
    return `${open.repeat(depth)}${core}${close.repeat(depth)}`;
  });
}

const nestedText: fc.Arbitrary<string> = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("true", "false", "null"),
    numberText(),
    stringText(),
    tie("array"),
    tie("object"),
  ),
  array: fc.tuple(gap(), fc.array(fc.tuple(gap(), tie("value"), gap()), { maxLength: 5 })).map(([inside, elements]) => {
    return `[${elements.length === 0 ? inside : elements.map((element) => element.join("")).join(",")}]`;
  }),
  object: fc
    .tuple(gap(), fc.array(fc.tuple(gap(), keyText(), gap(), gap(), tie("value"), gap()), { maxLength: 5 }))
    .map(([inside, members]) => {
      const written = members.map(
        ([before, { key }, beforeColon, afterColon, value, after]) => `${before}${key}${beforeColon}:${afterColon}${value}${after}`,
      );
      return `{${members.length === 0 ? inside : written.join(",")}}`;
    }),
})).value;
