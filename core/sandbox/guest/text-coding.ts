/** TextEncoder, TextDecoder, atob and btoa for isolates, which have none; UTF-8 only. */

const replacement = 0xfffd;

export class Utf8Encoder {
  readonly encoding = "utf-8";

  encode(text: unknown = ""): Uint8Array {
    return encodeUtf8(String(text));
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of text) {
      const bytes = encodeUtf8(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

/** Lone surrogates become U+FFFD, as everywhere on the web. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  for (let index = 0; index < text.length; index += 1) {
    let point = text.codePointAt(index) ?? 0;
    if (point > 0xffff) index += 1;
    else if (point >= 0xd800 && point <= 0xdfff) point = replacement;
    if (point < 0x80) bytes[at++] = point;
    else if (point < 0x800) {
      bytes[at++] = 0xc0 | (point >> 6);
      bytes[at++] = 0x80 | (point & 0x3f);
    } else if (point < 0x1_0000) {
      bytes[at++] = 0xe0 | (point >> 12);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    }
  }
  return bytes.slice(0, at);
}

export class Utf8Decoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** Of a character that the last chunk cut in two. */
  #pending: readonly number[] = [];
  #isBehindStart = false;

  constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(String(label)))
      throw new RangeError(`TextDecoder: the sandbox knows utf-8 only, not ${String(label)}`);
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
  }

  decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    const chunk = input === undefined ? new Uint8Array() : toBytes(input);
    const bytes = this.#pending.length === 0 ? chunk : Uint8Array.of(...this.#pending, ...chunk);
    const isLast = options.stream !== true;
    const { text, rest } = decodeUtf8(bytes, isLast, this.fatal);
    this.#pending = rest;
    const isFirst = !this.#isBehindStart;
    this.#isBehindStart = !isLast && (this.#isBehindStart || text !== "");
    return isFirst && !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}

function toBytes(input: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return new Uint8Array(input);
}

function decodeUtf8(bytes: Uint8Array, isLast: boolean, fatal: boolean): { text: string; rest: readonly number[] } {
  const points: number[] = [];
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const { point, length } = readCharacter(bytes, at);
    if (point === -1 && at + length === bytes.length && !isLast && isCut(bytes, at)) break;
    if (point === -1 && fatal) throw new TypeError("TextDecoder: the bytes are not UTF-8");
    points.push(point === -1 ? replacement : point);
    at += length;
    // An argument list has a limit.
    if (points.length === 4096) text += String.fromCodePoint(...points.splice(0));
  }
  return { text: text + String.fromCodePoint(...points), rest: [...bytes.subarray(at)] };
}

/** @returns point -1 for what is no character, and how many bytes go with it */
function readCharacter(bytes: Uint8Array, at: number): { point: number; length: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { point: first, length: 1 };
  const size = sizeOf(first);
  if (size === 0) return { point: -1, length: 1 };
  let point = first & (0x7f >> size);
  for (let index = 1; index < size; index += 1) {
    const next = bytes[at + index];
    if (next === undefined || (next & 0xc0) !== 0x80 || (index === 1 && !isSecond(first, next))) return { point: -1, length: index };
    point = (point << 6) | (next & 0x3f);
  }
  return { point, length: size };
}

function sizeOf(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/** Overlong forms, surrogates and what lies beyond Unicode are told by the second byte. */
function isSecond(first: number, second: number): boolean {
  switch (first) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return true;
  }
}

/** Whether the bytes to the end are the beginning of a character. */
function isCut(bytes: Uint8Array, at: number): boolean {
  return sizeOf(bytes[at] ?? 0) > bytes.length - at;
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** @throws Error with the name InvalidCharacterError */
export function encodeBase64(text: unknown): string {
  const input = String(text);
  let encoded = "";
  for (let at = 0; at < input.length; at += 3) {
    const codes = [input.charCodeAt(at), input.charCodeAt(at + 1) || 0, input.charCodeAt(at + 2) || 0];
    const [a = 0, b = 0, c = 0] = codes;
    if (a > 255 || b > 255 || c > 255)
      throw invalidCharacter("btoa: a character stands for more than one byte; encode the text with TextEncoder first");
    const bits = (a << 16) | (b << 8) | c;
    encoded += (digits[bits >> 18] ?? "") + (digits[(bits >> 12) & 63] ?? "");
    encoded += at + 1 < input.length ? (digits[(bits >> 6) & 63] ?? "") : "=";
    encoded += at + 2 < input.length ? (digits[bits & 63] ?? "") : "=";
  }
  return encoded;
}

/** @throws Error with the name InvalidCharacterError */
export function decodeBase64(text: unknown): string {
  let input = String(text).replace(/[\t\n\f\r ]/g, "");
  if (input.length % 4 === 0) input = input.replace(/={1,2}$/, "");
  if (input.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(input)) throw invalidCharacter("atob: the text is not base64");
  let decoded = "";
  let bits = 0;
  let count = 0;
  for (const digit of input) {
    bits = ((bits << 6) | digits.indexOf(digit)) & 0xff_ffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded += String.fromCharCode((bits >> count) & 0xff);
    }
  }
  return decoded;
}

function invalidCharacter(message: string): Error {
  const error = new Error(message);
  error.name = "InvalidCharacterError";
  return error;
}
