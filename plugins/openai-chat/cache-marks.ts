/** `cache_control` marks, for hosts that understand them; there are never more of them than such hosts take. */

import type { JsonObject } from "../../sdk/events.ts";
import type { CacheMark } from "../../sdk/hub/conversation.ts";

interface Markable {
  readonly cache?: CacheMark;
}

export interface CacheMarks {
  has(part: Markable): boolean;
  /** The same with the part's mark, if it has one. */
  marked<Wire extends object>(part: Markable, wire: Wire): Wire & { readonly cache_control?: JsonObject };
}

export function cacheMarks(understood: boolean): CacheMarks {
  return {
    has: ({ cache }) => understood && cache !== undefined,
    marked: ({ cache }, wire) => (understood && cache !== undefined ? { ...wire, cache_control: control(cache) } : wire),
  };
}

/** As the hub has it: https://openrouter.ai/docs/guides/best-practices/prompt-caching takes both times. */
function control({ ttl }: CacheMark): JsonObject {
  return ttl === "1h" ? { type: "ephemeral", ttl } : { type: "ephemeral" };
}
