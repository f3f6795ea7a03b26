/** The first bytes of image files of a chosen size, as base64: enough for whoever reads the size only. */

const base64 = (bytes: Buffer): string => bytes.toString("base64");

export function pngHeader(width: number, height: number): string {
  const bytes = Buffer.alloc(33);
  bytes.writeUInt32BE(0x89504e47, 0);
  bytes.writeUInt32BE(0x0d0a1a0a, 4);
  bytes.writeUInt32BE(13, 8);
  bytes.write("IHDR", 12, "latin1");
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return base64(bytes);
}

export function gifHeader(width: number, height: number): string {
  const bytes = Buffer.alloc(13);
  bytes.write("GIF89a", 0, "latin1");
  bytes.writeUInt16LE(width, 6);
  bytes.writeUInt16LE(height, 8);
  return base64(bytes);
}

/** @param metadataBytes size of an APP1 segment (Exif, a preview) before the frame header */
export function jpegHeader(width: number, height: number, metadataBytes = 0): string {
  const start = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, ...Buffer.alloc(14)]);
  const metadata = metadataBytes === 0 ? Buffer.alloc(0) : Buffer.alloc(metadataBytes + 4, 0x41);
  if (metadataBytes > 0) {
    metadata.writeUInt16BE(0xffe1, 0);
    metadata.writeUInt16BE(metadataBytes + 2, 2);
  }
  // A Huffman table (C4) has a frame header's kind of number and is none.
  const table = Buffer.from([0xff, 0xc4, 0, 4, 0, 0]);
  const frame = Buffer.from([0xff, 0xc2, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3, ...Buffer.alloc(9)]);
  return base64(Buffer.concat([start, metadata, table, frame, Buffer.alloc(8)]));
}

export function webpHeader(width: number, height: number, chunk: "VP8 " | "VP8L" | "VP8X"): string {
  const bytes = Buffer.alloc(40);
  bytes.write("RIFF", 0, "latin1");
  bytes.write("WEBP", 8, "latin1");
  bytes.write(chunk, 12, "latin1");
  if (chunk === "VP8X") {
    bytes.writeUIntLE(width - 1, 24, 3);
    bytes.writeUIntLE(height - 1, 27, 3);
  } else if (chunk === "VP8L") {
    bytes[20] = 0x2f;
    bytes.writeUInt32LE((width - 1) | ((height - 1) << 14), 21);
  } else {
    bytes.writeUInt16LE(width, 26);
    bytes.writeUInt16LE(height, 28);
  }
  return base64(bytes);
}
