/** How scripts are told the time. */

/** ms since 1970 in place of the server's clock, which all processes share: for tests. */
export type WallClock = (() => number) | undefined;

/** The first argument of each script; empty: the server's own clock. */
export function clockArgument(wallClock: WallClock): string {
  return wallClock === undefined ? "" : wholeText(wallClock());
}

const longestMs = 1000 * 24 * 60 * 60 * 1000;

/** A duration, whole and short enough for the server. @param ms may be infinite, yet not NaN */
export function durationText(ms: number): string {
  return wholeText(Math.min(Math.ceil(ms), longestMs));
}

/**
 * Of a number up to 2^53, which Lua counts exactly.
 *
 * @throws RangeError for what is no number, which would spoil a counter
 */
export function wholeText(value: number): string {
  const whole = Math.round(value);
  if (!Number.isSafeInteger(whole)) throw new RangeError(`${value} cannot be counted exactly`);
  return BigInt(whole).toString();
}
