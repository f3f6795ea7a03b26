/**
 * Which wire a model of Google Cloud speaks, and where it stands below a location. Written from
 * https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/partner-models/claude,
 * https://docs.cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis,
 * https://docs.mistral.ai/models/deployment/cloud-deployments/vertex and https://docs.litellm.ai/docs/providers/vertex_partner.
 */

export interface VertexModel {
  readonly dialect: "anthropic" | "gemini" | "openai-chat";
  /** Below the location; a verb follows after a colon where `isRaw` or the dialect is not `openai-chat`. */
  readonly path: string;
  /** What the body calls it, where the wire names a model there. */
  readonly name: string;
  /** Called by `rawPredict` although its body is that of Chat Completions. */
  readonly isRaw: boolean;
  /** Version of the API; the one Google's own client takes for Gemini is the beta. */
  readonly version: "v1" | "v1beta1";
}

/** Publishers of open models that people leave out. */
const publishers: readonly (readonly [RegExp, string])[] = [
  [/^llama/, "meta"],
  [/^deepseek/, "deepseek-ai"],
  [/^qwen/, "qwen"],
  [/^grok/, "xai"],
  [/^gpt-oss/, "openai"],
  [/^kimi/, "moonshotai"],
  [/^glm/, "zai-org"],
  [/^minimax/, "minimaxai"],
  [/^gemma/, "google"],
];

/** @param id without `vertex_ai/`; with or without its publisher, or as `publishers/x/models/y` */
export function vertexModel(id: string): VertexModel {
  const [, publisher, rest] = /^(?:publishers\/)?(?:([^/]+)\/)?(?:models\/)?(.+)$/.exec(id) ?? [undefined, undefined, id];
  const name = rest ?? id;
  const [, endpoint] = /^(\d+)$/.exec(name) ?? [];
  if (endpoint !== undefined) return endpointModel(publisher, endpoint);
  if (publisher === "anthropic" || name.startsWith("claude")) return published("anthropic", "anthropic", name);
  if (publisher === "mistralai" || (publisher === undefined && /^(?:mistral|ministral|codestral|magistral|devstral)/.test(name)))
    return raw("mistralai", name);
  if (publisher === "ai21" || name.startsWith("jamba")) return raw("ai21", name);
  const isOpen =
    name.endsWith("-maas") || name.startsWith("gemma") || (publisher !== undefined && publisher !== "google" && publisher !== "gemini");
  if (!isOpen && (publisher !== undefined || name.startsWith("gemini"))) return published("gemini", "google", name);
  const owner = publisher ?? publishers.find(([pattern]) => pattern.test(name))?.[1];
  const full = owner === undefined ? name : `${owner}/${name}`;
  return { dialect: "openai-chat", path: "endpoints/openapi", name: full, isRaw: false, version: "v1" };
}

/** A tuned or self-deployed model; such a one speaks Chat Completions where its name begins with `openai/`. */
function endpointModel(publisher: string | undefined, endpoint: string): VertexModel {
  const path = `endpoints/${endpoint}`;
  if (publisher === "openai") return { dialect: "openai-chat", path, name: endpoint, isRaw: false, version: "v1" };
  return { dialect: "gemini", path, name: endpoint, isRaw: false, version: "v1beta1" };
}

function published(dialect: "anthropic" | "gemini", publisher: string, name: string): VertexModel {
  return {
    dialect,
    path: `publishers/${publisher}/models/${name}`,
    name,
    isRaw: false,
    version: dialect === "gemini" ? "v1beta1" : "v1",
  };
}

function raw(publisher: string, name: string): VertexModel {
  return {
    dialect: "openai-chat",
    path: `publishers/${publisher}/models/${name}`,
    // The address names the version, the body the model alone.
    name: name.split("@")[0] ?? name,
    isRaw: true,
    version: "v1",
  };
}
