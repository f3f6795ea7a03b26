/** A `Target` from the few things a test cares about. */

import type { Target } from "../../sdk/wire.ts";

export function targetOf(overrides: Partial<Target> = {}): Target {
  return {
    deploymentId: "d",
    providerName: "provider",
    model: "model",
    apiBase: "https://host.example",
    params: {},
    modelFacts: {
      contextWindow: undefined,
      maxOutputTokens: undefined,
      images: undefined,
      documents: undefined,
      tools: undefined,
      reasoning: undefined,
    },
    quirks: {},
    producer: "provider@host.example",
    ...overrides,
  };
}
