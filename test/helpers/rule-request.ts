/** What a rule is given, made from a plain body; facts that matter to a test are named in it. */

import { createRequestBody } from "../../core/body/request-body.ts";
import type { Facts } from "../../sdk/facts.ts";
import type { RuleRequest, TokenCounter } from "../../sdk/rule.ts";

export interface RuleRequestOptions {
  /** Bytes, or a value that is written as JSON. */
  readonly body?: unknown;
  readonly facts?: Partial<Facts>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokens?: TokenCounter;
}

export function ruleRequest(options: RuleRequestOptions = {}): RuleRequest {
  const given = options.body ?? {};
  const body = createRequestBody(given instanceof Uint8Array ? given : Buffer.from(JSON.stringify(given)));
  const model = body.value("model");
  const headers = new Map(Object.entries(options.headers ?? {}));
  return {
    body,
    headers: { get: (name) => headers.get(name) },
    tokens: options.tokens ?? countsTo(0),
    facts: {
      model: typeof model === "string" ? model : "",
      stream: false,
      session: undefined,
      client: "other",
      requestClass: "unknown",
      agentId: undefined,
      agentType: undefined,
      thinking: "none",
      effort: undefined,
      toolNames: [],
      toolTypes: [],
      usedToolNames: [],
      messageCount: 0,
      hasImage: false,
      bodyBytes: body.bytes.length,
      ...options.facts,
    },
  };
}

/** A counter that answers one number, whatever the mode. */
export function countsTo(count: number): TokenCounter {
  return { count: () => Promise.resolve(count), exceeds: (threshold) => count > threshold };
}
