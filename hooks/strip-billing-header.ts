/**
 * Hook: takes the `x-anthropic-billing-header: …` block out of Claude Code's system prompt. It changes with every
 * release of the client, which costs other hosts their prompt cache; Anthropic itself needs it.
 */

import { defineHook, matchesTarget, param, type TextBlock } from "ccproxy/sdk";

const mark = "x-anthropic-billing-header:";

export default defineHook({
  summary: "removes Claude Code's billing block from the system prompt, but not for Anthropic",
  params: {
    /** Groups, deployments, models or providers, with `*`. Every provider but Anthropic when left out. */
    targets: param.list(param.text()).optional(),
  },

  preUpstream(request, { params: { targets }, target }) {
    const applies = targets === undefined ? target?.provider !== "anthropic" : matchesTarget(target, targets);
    const { system } = request;
    if (!applies || system === undefined) return;
    if (typeof system === "string") {
      const rest = system.replace(new RegExp(`^${mark}[^\\n]*\\n*`), "");
      if (rest === "") delete request.system;
      else if (rest !== system) request.system = rest;
      return;
    }
    const isBilling = ({ text }: TextBlock): boolean => text.startsWith(mark);
    const first = system.findIndex(isBilling);
    if (first < 0) return;
    if (system.every(isBilling)) delete request.system;
    else request.system = system.filter((block) => !isBilling(block));
  },
});
