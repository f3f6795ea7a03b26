/** A target to translate for, of whose host nothing is special. */

import type { ModelFacts, Target } from "../../sdk/wire.ts";

export interface HubTargetOptions extends Partial<Omit<Target, "modelFacts">> {
  readonly modelFacts?: Partial<ModelFacts>;
}

export function hubTarget({ modelFacts, ...others }: HubTargetOptions = {}): Target {
  return {
    deploymentId: "d1",
    providerName: "example",
    model: "example-1",
    apiBase: "https://example.com/v1",
    params: {},
    quirks: {},
    producer: "example https://example.com",
    ...others,
    modelFacts: {
      contextWindow: undefined,
      maxOutputTokens: undefined,
      images: undefined,
      documents: undefined,
      tools: undefined,
      reasoning: undefined,
      ...modelFacts,
    },
  };
}
