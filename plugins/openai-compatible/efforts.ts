/** Efforts that a model does not know are asked for by the nearest that it knows. */

/** Of the hub, least first. */
const all = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

export type Effort = (typeof all)[number];

/**
 * For `effortNames`: each effort of the hub by the greatest that is known and not above it, else by the least that is known.
 *
 * @param known least first
 */
export function nearest(...known: readonly [Effort, ...Effort[]]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    all.map((effort, level) => [effort, known.findLast((candidate) => all.indexOf(candidate) <= level) ?? known[0]]),
  );
}
