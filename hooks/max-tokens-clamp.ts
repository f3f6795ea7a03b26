/** Hook: keeps `max_tokens` within what the model that is really asked can do. */

import { defineHook, matchesTarget, param } from "ccproxy/sdk";

/** Less than this is refused as a thinking budget. */
const smallestBudget = 1024;

export default defineHook({
  summary: "caps max_tokens",
  params: {
    /** For every target that `limits` does not name. */
    max: param.integer({ min: 1 }).optional(),
    /** By group, deployment, model or provider, with `*`: `{ "gpt-4o*": 16384 }`. The first that fits counts. */
    limits: param.map(param.integer({ min: 1 })).default({}),
    /** Taken off the limit. */
    safety_margin: param.integer({ min: 0 }).default(0),
  },

  preUpstream(request, context) {
    const { max, limits, safety_margin } = context.params;
    const named = Object.entries(limits).find(([pattern]) => matchesTarget(context.target, [pattern]));
    const limit = named?.[1] ?? max;
    const asked = request.max_tokens;
    if (limit === undefined || asked === undefined) return;
    const allowed = Math.max(1, limit - safety_margin);
    if (asked <= allowed) return;
    request.max_tokens = allowed;
    context.annotate("max_tokens_clamped", { from: asked, to: allowed });

    // A thinking budget has to stay below max_tokens.
    const { thinking } = request;
    if (thinking?.type !== "enabled" || thinking.budget_tokens === undefined || thinking.budget_tokens < allowed) return;
    if (allowed > smallestBudget) thinking.budget_tokens = allowed - 1;
    else request.thinking = { type: "disabled" };
  },
});
