/** Marks of the hub's prompt cache. */

import type { Json } from "../body.ts";
import type { CacheMark, FunctionTool, TextPart, Turn } from "./conversation.ts";
import { record } from "./json.ts";

/** The vendor refuses a request with more. */
const mostMarks = 4;

/** To be spread into a part: `{ cache }`, or nothing. */
export function cacheOf(block: { readonly [key: string]: Json }): { readonly cache?: CacheMark } {
  const mark = record(block["cache_control"]);
  return mark?.["type"] === "ephemeral" ? { cache: { ttl: mark["ttl"] === "1h" ? "1h" : "5m" } } : {};
}

interface Markable {
  readonly cache?: CacheMark;
}

export function withoutMark<Part extends Markable>(part: Part): Part {
  if (part.cache === undefined) return part;
  const copy: Part & { cache?: CacheMark } = { ...part };
  delete copy.cache;
  return copy;
}

export interface Marked {
  readonly tools: readonly FunctionTool[];
  readonly system: readonly TextPart[];
  readonly turns: readonly Turn[];
}

/** With the mark that a request bears as a whole: on the last thing it says. */
export function markLast(marked: Marked, cache: CacheMark | undefined): Marked {
  const last = marked.turns.at(-1);
  const part = last?.role === "user" ? last.parts.at(-1) : undefined;
  if (cache === undefined || last?.role !== "user" || part === undefined) return marked;
  return { ...marked, turns: [...marked.turns.slice(0, -1), { role: "user", parts: [...last.parts.slice(0, -1), { ...part, cache }] }] };
}

/**
 * At most four marks: where there are more, the last one of the tools, the last one of the system, and the last ones of
 * the turns stay, since a cached prefix holds those before it.
 */
export function limitMarks({ tools, system, turns }: Marked): Marked {
  const ofTools = tools.filter(isMarked);
  const ofSystem = system.filter(isMarked);
  const ofTurns = turns.flatMap((turn) => (turn.role === "system" ? [] : turn.parts.filter(isMarked)));
  if (ofTools.length + ofSystem.length + ofTurns.length <= mostMarks) return { tools, system, turns };
  // In the order in which they are given up: the last one first to stay.
  const [lastTool, ...otherTools] = ofTools.toReversed();
  const [lastSystem, ...otherSystem] = ofSystem.toReversed();
  const first = [lastTool, lastSystem].filter((part) => part !== undefined);
  const kept = new Set<object>([...first, ...ofTurns.toReversed(), ...otherSystem, ...otherTools].slice(0, mostMarks));
  const limit = <Part extends Markable>(part: Part): Part => (kept.has(part) ? part : withoutMark(part));
  return { tools: tools.map(limit), system: system.map(limit), turns: turns.map((turn) => limitTurn(turn, limit)) };
}

function isMarked(part: object): boolean {
  return "cache" in part;
}

function limitTurn(turn: Turn, limit: <Part extends Markable>(part: Part) => Part): Turn {
  if (turn.role === "system") return turn;
  if (turn.role === "user") return { role: "user", parts: turn.parts.map(limit) };
  return { role: "assistant", parts: turn.parts.map((part) => (part.type === "thinking" ? part : limit(part))) };
}
