/** Picks one of several. */

export function pickAny<Item>(items: readonly Item[], random: () => number): Item | undefined {
  // One that needs no luck takes none, so that what is decided by chance does not depend on what is not.
  return items.length < 2 ? items[0] : items[Math.floor(random() * items.length)];
}

/** In proportion to the weights; undefined where none is above 0. */
export function pickWeighted<Item>(items: readonly Item[], weightOf: (item: Item) => number, random: () => number): Item | undefined {
  const weighted = items.map((item) => ({ item, weight: weightOf(item) })).filter(({ weight }) => weight > 0);
  if (weighted.length < 2) return weighted[0]?.item;
  let left = random() * weighted.reduce((sum, { weight }) => sum + weight, 0);
  for (const { item, weight } of weighted) {
    left -= weight;
    if (left < 0) return item;
  }
  // Sums of fractions may fall short of the last one.
  return weighted.at(-1)?.item;
}

/** All that share the lowest value. */
export function lowest<Item>(items: readonly Item[], valueOf: (item: Item) => number): readonly Item[] {
  const values = items.map(valueOf);
  const least = Math.min(...values);
  return items.filter((_, index) => values[index] === least);
}
