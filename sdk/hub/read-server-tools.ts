/** Results of searches that one vendor made, in words for all others: their encrypted contents are of no use there. */

import type { Json } from "../body.ts";
import { record, text } from "./json.ts";
import { blocksOf } from "./read-blocks.ts";

export function readSearchResult(content: Json | undefined): string {
  const error = text(record(content)?.["error_code"]);
  if (error !== undefined) return `[The search failed: ${error}]`;
  const lines = blocksOf(content).map((result) => `- ${text(result["title"]) ?? ""}: ${text(result["url"]) ?? ""}`);
  return lines.length === 0 ? "[The search found nothing.]" : `[Search results]\n${lines.join("\n")}`;
}
