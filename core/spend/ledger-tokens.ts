/** What an upstream counted, as the ledger keeps it: each kind by itself. */

import type { Usage } from "../../sdk/dialect.ts";
import type { LedgerTokens } from "../../sdk/ledger.ts";

/** Undefined where it said nothing. */
export function ledgerTokens(usage: Usage | undefined): LedgerTokens | undefined {
  if (usage?.inputTokens === undefined && usage?.outputTokens === undefined) return undefined;
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const { cacheWrite1hTokens = 0, reasoningTokens = 0, serverToolUses = 0 } = usage;
  return {
    input: inputTokens,
    output: outputTokens,
    cacheRead: cacheReadTokens,
    cacheWrite5m: Math.max(0, cacheWriteTokens - cacheWrite1hTokens),
    cacheWrite1h: cacheWrite1hTokens,
    reasoning: reasoningTokens,
    serverTools: serverToolUses,
  };
}
