/** Where a request goes when a whole group has failed: LiteLLM's tables, and what the request itself asks for. */

import type { FallbackConfig, FallbackTable, FallbackTarget } from "../config/router-types.ts";
import type { Failure } from "./failure.ts";
import type { RequestOptions } from "./request-options.ts";

export interface FallbackQuestion {
  /** As it was asked for: an alias, a label, a model. */
  readonly name: string;
  /** What that turned out to be. */
  readonly group: string;
  readonly config: FallbackConfig;
  readonly options: Pick<RequestOptions, "fallbacks" | "fallbackTables" | "disableFallbacks">;
  /** Groups this request was in already, this one included: see {@link fallbackKey}. */
  readonly attempted: ReadonlySet<string>;
  /** Groups before this one: 0 for the one that was asked for. */
  readonly depth: number;
}

/** Those not tried yet, in their order. */
export function fallbacksFor(failure: Pick<Failure, "class">, question: FallbackQuestion): readonly FallbackTarget[] {
  const { config, options, attempted, depth } = question;
  if (options.disableFallbacks || depth >= config.max) return [];
  return listFor(failure, question).filter((target) => !attempted.has(fallbackKey(target)));
}

/** The same group with other fields in the request is another attempt. */
export function fallbackKey({ name, overrides }: FallbackTarget): string {
  return Object.keys(overrides).length === 0 ? name : `${name} ${JSON.stringify(overrides)}`;
}

function listFor({ class: type }: Pick<Failure, "class">, question: FallbackQuestion): readonly FallbackTarget[] {
  const { config, options } = question;
  // What a client asks for holds for any error.
  if (options.fallbacks !== undefined) return options.fallbacks;
  const { fallbackTables: own } = options;
  // A table for the very case is the only one that counts, even where it has no entry for this group.
  if (type === "context-window") {
    const table = own?.contextWindow ?? config.contextWindow;
    if (table !== undefined) return entryOf(table, question) ?? [];
  }
  if (type === "content-policy") {
    const table = own?.contentPolicy ?? config.contentPolicy;
    if (table !== undefined) return entryOf(table, question) ?? [];
  }
  const general = own?.general ?? config.general;
  return entryOf(general, question) ?? [];
}

const everyGroup = "*";

/**
 * Of the name as asked, of the group, of either without its provider's prefix. What holds for every group is for the one
 * that was asked for: a fallback that fails is followed by the next of its list.
 */
function entryOf(table: FallbackTable, { name, group, depth }: FallbackQuestion): readonly FallbackTarget[] | undefined {
  for (const each of [name, group]) {
    const own = table.get(each) ?? table.get(withoutPrefix(each));
    if (own !== undefined) return own;
  }
  return depth === 0 ? table.get(everyGroup) : undefined;
}

function withoutPrefix(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}
