/**
 * How Claude as run by Google departs from its vendor's API. Written from
 * https://platform.claude.com/docs/en/build-with-claude/claude-models-on-google-cloud/google-managed,
 * https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/partner-models/claude/count-tokens and, for the
 * betas it knows, https://docs.litellm.ai/docs/tutorials/claude_code_beta_headers.
 */

import type { RequestBody } from "../../sdk/body.ts";
import type { Operation } from "../../sdk/dialect.ts";
import { forForeignHost } from "../../sdk/hub/foreign-messages.ts";
import { bodyOf } from "../../sdk/hub/byte-body.ts";
import { bufferOf, itemsOf, removeItems, spliceBytes } from "../../sdk/hub/json-bytes.ts";
import { supportsMidSystem } from "../../sdk/hub/mid-system.ts";
import type { MessagesQuirks } from "../../sdk/quirks.ts";

/** Instead of the header of that name. */
const version = "vertex-2023-10-16";

/** Any other one is answered with 400 `Unexpected value(s) … for the anthropic-beta header`. */
const betas: readonly string[] = [
  "compact-2026-01-12",
  "compact-2026-09-04",
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "dangerous-tool-use-2026-09-03",
  "interleaved-thinking-2025-05-14",
  "per-turn-control-2026-07-01",
  "thinking-binding-controls-2026-08-01",
  "thinking-display-updates-2026-08-18",
  "tool-search-tool-2025-10-19",
  "web-search-2025-03-05",
];

/** The vendor's name for a beta, and the one it has here. */
export const renamedBetas: ReadonlyMap<string, string> = new Map([["advanced-tool-use-2025-11-20", "tool-search-tool-2025-10-19"]]);

export function claudeQuirks(model: string): MessagesQuirks {
  return { betas, midSystem: supportsMidSystem(model), refused: ["tags", "safeguards"] };
}

/** Its own fields in place of the API's: no model, which the address names, but the version. */
export function claudeBody(body: RequestBody, operation: Operation, model: string): RequestBody {
  const fitted = forForeignHost(body, claudeQuirks(model), () => {});
  // Counting has one address for all models.
  if (operation === "count_tokens") return fitted.edit([{ field: "model", value: model }]);
  return withoutField(fitted, "model").edit([{ field: "anthropic_version", value: version }]);
}

export function withoutField(body: RequestBody, field: string): RequestBody {
  if (body.field(field) === undefined) return body;
  const bytes = bufferOf(body.bytes);
  return bodyOf(
    spliceBytes(
      bytes,
      removeItems(itemsOf(bytes, bytes.indexOf("{")), ({ name }) => name === field),
    ),
  );
}

/** Where tokens of Claude are counted: in three regions and the world, whatever the model runs in. */
export function countingLocation(location: string): string {
  if (countingLocations.has(location)) return location;
  if (location.startsWith("eu")) return "europe-west1";
  return location.startsWith("asia") || location.startsWith("australia") ? "asia-southeast1" : "us-east5";
}

const countingLocations: ReadonlySet<string> = new Set(["us-east5", "europe-west1", "asia-southeast1", "global"]);
