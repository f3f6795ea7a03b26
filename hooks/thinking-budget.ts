/** Hook: gives requests with a thinking budget a sensible one; adaptive and switched-off thinking stays as it is. */

import { defineHook, param, type MessagesRequest } from "ccproxy/sdk";

export default defineHook({
  summary: "fills in or raises budget_tokens",
  params: {
    /** For thinking without a budget, and for injected thinking. */
    budget_default: param.integer({ min: 1024 }).default(10_000),
    /** Smaller budgets are raised to this. */
    budget_min: param.integer({ min: 1024 }).default(1024),
    /** Switch thinking on where the request says nothing about it and the vendor would take it. */
    inject_if_missing: param.flag().default(false),
    log_modifications: param.flag().default(true),
  },

  preCall(request, context) {
    const { budget_default, budget_min, inject_if_missing, log_modifications } = context.params;
    const { thinking, max_tokens = Infinity } = request;
    // The budget has to be smaller than max_tokens, and no smaller than 1,024.
    if (max_tokens <= 1024) return;
    const fit = (budget: number): number => Math.min(Math.max(budget, budget_min), max_tokens - 1);

    if (thinking === undefined) {
      if (!inject_if_missing || !mayThink(request)) return;
      request.thinking = { type: "enabled", budget_tokens: fit(budget_default) };
      // The only one that is taken together with thinking.
      if (request.temperature !== undefined) request.temperature = 1;
      delete request["top_k"];
      if (log_modifications) context.log(`thinking switched on with ${request.thinking.budget_tokens} tokens`);
      return;
    }
    if (thinking.type !== "enabled") return;
    const asked = thinking.budget_tokens;
    const budget = fit(asked ?? budget_default);
    if (budget === asked) return;
    thinking.budget_tokens = budget;
    if (log_modifications) context.log(`thinking budget ${asked ?? "missing"}, now ${budget}`);
  },
});

/** A forced tool, an answer begun by the client, or a tool call made without thinking rule it out. */
function mayThink({ messages, tool_choice }: MessagesRequest): boolean {
  if (tool_choice?.["type"] === "any" || tool_choice?.["type"] === "tool") return false;
  const last = messages.at(-1);
  if (last === undefined || last.role === "assistant") return false;
  return typeof last.content === "string" || !last.content.some((block) => block.type === "tool_result");
}
