/** Names with `*` in them, as the ready-made hooks take them. */

import type { TargetInfo } from "./context.ts";

/**
 * Whether a name fits one of the patterns, in which `*` stands for any characters; case does not matter.
 *
 * @example
 * matchesName("mcp__github__search", ["mcp__*", "WebSearch"]); // true
 */
export function matchesName(name: string, patterns: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return patterns.some((pattern) => fits(lower, pattern.toLowerCase().split("*")));
}

/** Whether group, deployment, model or provider of a target fits one of the patterns; false without a target. */
export function matchesTarget(target: TargetInfo | undefined, patterns: readonly string[]): boolean {
  if (target === undefined) return false;
  return [target.group, target.deployment, target.model, target.provider].some((name) => matchesName(name, patterns));
}

/** Linear in the length of the name, whatever the pattern. @param parts what stands between the stars */
function fits(name: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (parts.length === 1) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let position = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= name.length - last.length;
}
