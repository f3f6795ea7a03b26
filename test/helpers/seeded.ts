/** Chance that is the same each time, and whether counts are what chance would make of the expected shares. */

/** Tommy Ettinger's mulberry32: from 0 to less than 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Pearson's statistic: about as large as there are kinds, for counts that follow the shares. A kind without a share must not occur. */
export function chiSquare(counts: ReadonlyMap<string, number>, shares: Readonly<Record<string, number>>): number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const whole = Object.values(shares).reduce((sum, share) => sum + share, 0);
  for (const kind of counts.keys()) if ((shares[kind] ?? 0) === 0) return Infinity;
  return Object.entries(shares)
    .filter(([, share]) => share > 0)
    .map(([kind, share]) => (((counts.get(kind) ?? 0) - (total * share) / whole) ** 2 * whole) / (total * share))
    .reduce((sum, each) => sum + each, 0);
}

/** By degrees of freedom (kinds less one): what chance exceeds once in a thousand times. */
export const unlikely: readonly number[] = [0, 10.83, 13.82, 16.27, 18.47, 20.52];
