/**
 * Betas of the Messages API that Bedrock knows. It answers an unknown one with 400 "invalid beta flag", and clients
 * name new ones with every release, so that what is not listed here is left out.
 * Source: github.com/BerriAI/litellm/blob/main/litellm/anthropic_beta_headers_config.json, sections `bedrock`,
 * `bedrock_mantle` and `bedrock_converse`, which its users keep up to date; read in November 2026.
 */

/** Understood by InvokeModel. */
const invokeBetas: readonly string[] = [
  "compact-2026-01-12",
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "dangerous-tool-use-2026-09-03",
  "effort-2025-11-24",
  "fine-grained-tool-streaming-2025-05-14",
  "mid-conversation-output-config-2026-07-01",
  "mid-conversation-tool-changes-2026-07-01",
  "thinking-binding-controls-2026-08-01",
  "thinking-display-updates-2026-08-18",
  "tool-search-tool-2025-10-19",
];

/** Understood by the Messages-native endpoint beside those. */
const messagesBetas: readonly string[] = [
  "claude-code-20250219",
  "interleaved-thinking-2025-05-14",
  "output-128k-2025-02-19",
  "per-turn-control-2026-07-01",
  "structured-outputs-2025-11-13",
  "token-efficient-tools-2025-02-19",
  "tool-examples-2025-10-29",
];

/** What Anthropic calls otherwise than Bedrock. */
export const renamedBetas: ReadonlyMap<string, string> = new Map([["advanced-tool-use-2025-11-20", "tool-search-tool-2025-10-19"]]);

/** @param added of `litellm_params`, for what came after this list */
export function knownBetas(route: "messages" | "invoke", added: readonly string[]): readonly string[] {
  return [...new Set([...invokeBetas, ...(route === "messages" ? messagesBetas : []), ...added])];
}
