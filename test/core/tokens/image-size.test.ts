import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readImageSize } from "../../../core/tokens/image-size.ts";
import { imageTokens, LARGE_IMAGES, STANDARD_IMAGES } from "../../../core/tokens/image-tokens.ts";
import { gifHeader, jpegHeader, pngHeader, webpHeader } from "./image-headers.ts";

const read = (base64: string): unknown => readImageSize(Buffer.from(base64, "latin1"));

describe("the size of an image", () => {
  it.each<[format: string, base64: string]>([
    ["PNG", pngHeader(1200, 34)],
    ["GIF", gifHeader(1200, 34)],
    ["JPEG", jpegHeader(1200, 34)],
    ["JPEG behind a preview", jpegHeader(1200, 34, 60_000)],
    ["WebP, lossy", webpHeader(1200, 34, "VP8 ")],
    ["WebP, lossless", webpHeader(1200, 34, "VP8L")],
    ["WebP, extended", webpHeader(1200, 34, "VP8X")],
  ])("is read from %s", (_format, base64) => {
    expect(read(base64)).toEqual({ width: 1200, height: 34 });
  });

  it("is unknown for anything else, whatever it is", () => {
    expect(read("")).toBeUndefined();
    expect(read(Buffer.from("<svg width='5'/>").toString("base64"))).toBeUndefined();
    const start = fc.constantFrom(pngHeader(5, 5), gifHeader(5, 5), jpegHeader(5, 5, 20), webpHeader(5, 5, "VP8X"), "");
    fc.assert(
      fc.property(start, fc.nat(60), fc.string({ maxLength: 80 }), (header, cut, rest) => {
        expect(() => read(header.slice(0, cut) + rest)).not.toThrow();
      }),
    );
  });
});

describe("the tokens of an image", () => {
  it("never go beyond the limits, and never below one", () => {
    const edge = fc.integer({ min: 0, max: 20_000 });
    fc.assert(
      fc.property(edge, edge, fc.constantFrom(STANDARD_IMAGES, LARGE_IMAGES), (width, height, limits) => {
        const tokens = imageTokens({ width, height }, limits);
        expect(tokens).toBeGreaterThanOrEqual(1);
        expect(tokens).toBeLessThanOrEqual(limits.tokens);
        expect(imageTokens({ width: height, height: width }, limits)).toBe(tokens);
      }),
    );
  });
});
