/** Hook: makes sure that requests to Anthropic ask for certain beta features, and name a version of the interface. */

import { defineHook, param } from "ccproxy/sdk";

export default defineHook({
  summary: "adds anthropic-beta values on the way to Anthropic",
  params: {
    /** Values of `anthropic-beta`; they stand before those of the client. */
    betas: param
      .list(param.text())
      .default(["oauth-2025-04-20", "claude-code-20250219", "interleaved-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14"]),
    /** `anthropic-version`, where the client sent none. */
    version: param.text().default("2023-06-01"),
  },

  preUpstream(_request, { params: { betas, version }, headers, target }) {
    if (target?.provider !== "anthropic") return;
    const asked = (headers.get("anthropic-beta") ?? "")
      .split(",")
      .map((value) => value.trim())
      .filter((value) => value !== "");
    const merged = [...new Set([...betas, ...asked])].join(",");
    if (merged !== "" && merged !== headers.get("anthropic-beta")) headers.set("anthropic-beta", merged);
    if (!headers.has("anthropic-version")) headers.set("anthropic-version", version);
  },
});
