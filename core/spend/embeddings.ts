/** What a reply with embeddings says it took: its end is looked at, not the numbers before. */

import type { ReplySummary } from "../../sdk/dialect.ts";

const endBytes = 512;

/** @param bytes of the whole JSON; hosts that put `usage` first are read there */
export function embeddingsSummary(bytes: Uint8Array): ReplySummary {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const tokens =
    tokensIn(buffer.toString("latin1", Math.max(0, buffer.length - endBytes))) ?? tokensIn(buffer.toString("latin1", 0, endBytes));
  const usage =
    tokens === undefined ? undefined : { inputTokens: tokens, outputTokens: 0, cacheReadTokens: undefined, cacheWriteTokens: undefined };
  return { complete: true, error: undefined, usage };
}

function tokensIn(text: string): number | undefined {
  const [, digits] = /"(?:prompt_tokens|total_tokens)"\s*:\s*(\d{1,9})\b/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
