/** Reads width and height from the first bytes of PNG, JPEG, GIF and WebP files. */

import type { ImageSize } from "./image-tokens.ts";

/** A JPEG may carry a preview and colour profiles before its frame header; beyond this the search ends. */
const HEADER_BYTES = 256 * 1024;
const FIRST_BYTES = 64;

/**
 * @param base64 the file, ASCII bytes of base64
 * @returns undefined when the format is none of the four, or the header is cut off
 */
export function readImageSize(base64: Uint8Array): ImageSize | undefined {
  const first = decode(base64, FIRST_BYTES);
  const isJpeg = first[0] === 0xff && first[1] === 0xd8;
  if (isJpeg) return jpegSize(decode(base64, HEADER_BYTES));
  return pngSize(first) ?? gifSize(first) ?? webpSize(first);
}

function decode(base64: Uint8Array, bytes: number): Buffer {
  const characters = Math.min(base64.length, Math.ceil(bytes / 3) * 4);
  return Buffer.from(Buffer.from(base64.buffer, base64.byteOffset, characters).toString("latin1"), "base64");
}

function pngSize(file: Buffer): ImageSize | undefined {
  if (file.length < 24 || file.readUInt32BE(0) !== 0x89504e47) return undefined;
  return { width: file.readUInt32BE(16), height: file.readUInt32BE(20) };
}

function gifSize(file: Buffer): ImageSize | undefined {
  if (file.length < 10 || file.toString("latin1", 0, 4) !== "GIF8") return undefined;
  return { width: file.readUInt16LE(6), height: file.readUInt16LE(8) };
}

function webpSize(file: Buffer): ImageSize | undefined {
  if (file.length < 30 || file.toString("latin1", 0, 4) !== "RIFF" || file.toString("latin1", 8, 12) !== "WEBP") return undefined;
  const chunk = file.toString("latin1", 12, 16);
  if (chunk === "VP8X") return { width: 1 + file.readUIntLE(24, 3), height: 1 + file.readUIntLE(27, 3) };
  if (chunk === "VP8 ") return { width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff };
  if (chunk !== "VP8L") return undefined;
  const packed = file.readUInt32LE(21);
  return { width: 1 + (packed & 0x3fff), height: 1 + ((packed >>> 14) & 0x3fff) };
}

/** Walks the segments to the frame header, which alone holds the size. */
function jpegSize(file: Buffer): ImageSize | undefined {
  let at = 2;
  while (at + 9 < file.length) {
    if (file[at] !== 0xff) return undefined;
    const marker = file[at + 1] ?? 0;
    if (marker === 0xff) {
      at++;
      continue;
    }
    // C4, C8 and CC lie among the frame headers but are none.
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: file.readUInt16BE(at + 7), height: file.readUInt16BE(at + 5) };
    at += 2 + file.readUInt16BE(at + 2);
  }
  return undefined;
}
