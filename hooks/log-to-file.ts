/** Hook: keeps one line for each request on disk: who asked which model, how it ended, tokens, cost and time. Needs the grant `kv`. */

import { defineHook, param, type Json } from "ccproxy/sdk";

export default defineHook({
  summary: "keeps a line for each request",
  params: {
    /** Name of the list that the lines are added to. */
    key: param.text().default("requests"),
    /** A list for each day (UTC), named `requests-2026-01-31`. */
    daily: param.flag().default(false),
  },

  async onComplete(completion, context) {
    const time = new Date(context.now).toISOString();
    const { key, daily } = context.params;
    const line: Record<string, Json> = {
      time,
      request: context.requestId,
      session: context.session ?? null,
      operation: context.operation,
      label: context.label ?? null,
      model: context.facts.model,
      group: context.target?.group ?? null,
      target: context.target?.model ?? null,
      outcome: completion.outcome,
      status: completion.status,
      input_tokens: completion.usage.inputTokens ?? null,
      output_tokens: completion.usage.outputTokens ?? null,
      cost_usd: completion.costUsd,
      total_ms: Math.round(completion.totalMs),
      attempts: completion.attempts,
    };
    await context.kv.append(daily ? `${key}-${time.slice(0, 10)}` : key, line);
  },
});
