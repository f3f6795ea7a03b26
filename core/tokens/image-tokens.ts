/** What an image costs: one token for each patch of 28 by 28 pixels, after it was made to fit. */

/** Limits of a model: pixels of the longer edge, and patches. */
export interface ImageLimits {
  readonly edge: number;
  readonly tokens: number;
}

export const STANDARD_IMAGES: ImageLimits = { edge: 1568, tokens: 1568 };
export const LARGE_IMAGES: ImageLimits = { edge: 2576, tokens: 4784 };

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** For an image whose size cannot be read (a URL, a file id): that of a full screenshot, 1920 by 1080. */
export const UNKNOWN_IMAGE: ImageSize = { width: 1920, height: 1080 };

const PATCH = 28;

/** The figures of Anthropic's vision page: e.g. 1920 × 1080 costs 1560 at standard limits and 2691 at large ones. */
export function imageTokens(size: ImageSize, limits: ImageLimits): number {
  const long = Math.max(1, size.width, size.height);
  const short = Math.max(1, Math.min(size.width, size.height));
  if (fits(long, short, limits)) return patches(long) * patches(short);

  // The largest long edge that fits; the short one follows in proportion.
  let fitting = 1;
  for (let step = 2 ** Math.floor(Math.log2(long)); step >= 1; step /= 2) {
    const candidate = fitting + step;
    if (candidate < long && fits(candidate, shortEdge(candidate, long, short), limits)) fitting = candidate;
  }
  return patches(fitting) * patches(shortEdge(fitting, long, short));
}

function fits(long: number, short: number, limits: ImageLimits): boolean {
  return patches(long) * PATCH <= limits.edge && patches(long) * patches(short) <= limits.tokens;
}

function patches(pixels: number): number {
  return Math.ceil(pixels / PATCH);
}

function shortEdge(candidate: number, long: number, short: number): number {
  return Math.max(1, Math.round((candidate * short) / long));
}
