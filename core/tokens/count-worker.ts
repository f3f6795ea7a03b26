/** The worker thread: parses and counts, so that the thread that moves bytes does neither. */

import { parentPort } from "node:worker_threads";
import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import type { UnitKind } from "./count-plan.ts";
import type { CountReply, CountRequest } from "./count-worker-client.ts";
import { countPdfPages, PDF_PAGE_TOKENS } from "./pdf-pages.ts";
import { spacedJson } from "./spaced-json.ts";
import { countText, type TextCount } from "./text-count.ts";

/** Markers such as `<|endoftext|>` are text here: a request that quotes one is no reason to fail. */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };
const encode = (text: string): number => countTokens(text, AS_TEXT);

parentPort?.on("message", (request: CountRequest) => {
  const bytes = Buffer.from(request.bytes.buffer, request.bytes.byteOffset, request.bytes.byteLength);
  let at = 0;
  const counts = request.kinds.map((kind, index) => {
    const end = at + (request.lengths[index] ?? 0);
    const part = bytes.toString("utf8", at, end);
    const count = countUnit(kind, part, end - at);
    at = end;
    return count;
  });
  const reply: CountReply = { id: request.id, counts };
  parentPort?.postMessage(reply, []);
});

function countUnit(kind: UnitKind, part: string, byteLength: number): TextCount {
  const value = parse(part);
  if (kind === "pdf") {
    const pages = typeof value === "string" ? countPdfPages(Buffer.from(value, "base64")) : 0;
    return { plain: pages * PDF_PAGE_TOKENS.plain, older: pages * PDF_PAGE_TOKENS.older, newer: pages * PDF_PAGE_TOKENS.newer };
  }
  const text = typeof value === "string" && kind !== "json" ? value : rendered(value, part);
  const count = countText(kind === "piece" && text !== "" ? ` ${text}` : text, encode);
  // A part never counts more than its bytes: what `bounds.ts` promises.
  return {
    plain: Math.min(count.plain, byteLength),
    older: Math.min(count.older, byteLength),
    newer: Math.min(count.newer, byteLength),
  };
}

/** Nesting too deep to walk counts as it stands. */
function rendered(value: unknown, part: string): string {
  try {
    return spacedJson(value);
  } catch {
    return part;
  }
}

/** Text that is not JSON counts as it stands. */
function parse(part: string): unknown {
  try {
    return JSON.parse(part);
  } catch {
    return part;
  }
}
