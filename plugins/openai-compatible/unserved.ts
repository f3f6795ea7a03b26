/** Providers of LiteLLM's list that speak protocols of their own, which nobody translates to here: named so that the configuration is told why. */

import type { Provider } from "../../sdk/provider.ts";

/** Names, and what to do instead. */
const unserved: readonly (readonly [names: readonly string[], instead: string])[] = [
  [["github_copilot"], "it signs in through a browser"],
  [["chatgpt"], "it signs in through a browser; use openai/ with an API key"],
  [["watsonx", "watsonx_text"], "use openai_like/ with the api_base of a model gateway in front of it"],
  [["sagemaker", "sagemaker_chat", "sagemaker_nova"], "use bedrock/, or openai_like/ with the api_base of a gateway in front of it"],
  [["oci"], "use openai_like/ with the api_base of its OpenAI-compatible endpoint"],
  [["sap"], "use openai_like/ with the api_base of a gateway in front of it"],
  [["replicate"], "its models are asked for and polled, not streamed"],
  [["predibase"], "use openai_like/ with the api_base of the deployment's /v1"],
  [["gigachat"], "use openai_like/ with the api_base of a gateway in front of it"],
  [["bytez"], "use openai_like/ with api_base https://api.bytez.com/models/v2/openai/v1"],
  [["triton"], "use openai_like/ with the api_base of its OpenAI frontend"],
  [["nlp_cloud", "maritalk", "petals", "aleph_alpha", "palm"], "its API is no longer offered in that form"],
  [
    ["anthropic_text", "text-completion-openai", "text-completion-codestral", "azure_text"],
    "text completions have no messages; use the provider's chat models",
  ],
];

export const unservedProviders: readonly Provider[] = unserved.map(([names, instead]) => ({
  names,
  defaultApiBase: "https://unserved.invalid",
  dialects: () => [],
  check: () => [`${names[0] ?? ""} has a protocol of its own, which is not translated to: ${instead}`],
  address: () => {
    throw new Error("no dialect, no request");
  },
  authorize: (headers) => headers,
  ownsUrl: () => false,
}));
