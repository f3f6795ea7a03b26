/**
 * URLs of Azure's two forms of OpenAI's API and of its other models. Written from
 * https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle,
 * https://learn.microsoft.com/azure/ai-services/openai/reference and
 * https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry.
 */

/** What is asked for, as the address says it. */
export type Wanted = "chat/completions" | "responses" | "embeddings" | "messages" | "messages/count_tokens";

export interface Endpoint {
  readonly base: string;
  readonly wanted: Wanted;
  /** Name of the deployment. */
  readonly model: string;
  /** `api_version`; only one of a date means the older form. */
  readonly version: string | undefined;
}

/** The last one of a date that is no preview, for addresses of the older form that name none. */
const datedDefault = "2024-10-21";
/** The first one of a date that has Responses. */
const firstResponses = "2025-03-01";

/** Whether a version means the older form, where the address names the deployment. */
export function isDated(version: string | undefined): version is string {
  return version !== undefined && /^\d{4}-\d{2}-\d{2}/.test(version);
}

export function hasResponses(version: string): boolean {
  return version.slice(0, 10) >= firstResponses;
}

/**
 * People write a base with and without the API's own path, the operation and the version; all of it is read.
 * `https://x.openai.azure.com`, `…/openai`, `…/openai/v1/` and `…/openai/v1/chat/completions` mean the same.
 */
export function openaiUrl({ base, wanted, model, version }: Endpoint): string {
  const url = new URL(base);
  const path = withoutOperation(url.pathname);
  const [, before = path, deployment] = /^(.*?)(?:\/openai(?:\/v1|\/deployments\/([^/]+))?)?$/.exec(path) ?? [];
  const dated = isDated(version) ? version : versionOf(url, deployment);
  if (dated === undefined) {
    const query = version === "preview" ? "?api-version=preview" : "";
    return `${url.origin}${before}/openai/v1/${wanted}${query}`;
  }
  // Responses of the older form have one address for all deployments, and the model in the body.
  const place = wanted === "responses" ? wanted : `deployments/${deployment ?? encodeURIComponent(model)}/${wanted}`;
  return `${url.origin}${before}/openai/${place}?api-version=${encodeURIComponent(dated)}`;
}

/** Whether an address is of the older form, be it by its own words. */
export function isOlder({ base, version }: Pick<Endpoint, "base" | "version">): boolean {
  const url = URL.parse(base);
  if (url === null || isDated(version)) return isDated(version);
  const [, deployment] = /\/openai\/deployments\/([^/]+)/.exec(url.pathname) ?? [];
  return versionOf(url, deployment) !== undefined;
}

/** A base that names a deployment is of the older form, whatever else is said. */
function versionOf(url: URL, deployment: string | undefined): string | undefined {
  const named = url.searchParams.get("api-version");
  if (named !== null && isDated(named)) return named;
  return deployment === undefined ? undefined : datedDefault;
}

/** Claude of Foundry: its vendor's own paths below `/anthropic`. */
export function claudeUrl({ base, wanted }: Endpoint): string {
  const url = new URL(base);
  const path = url.pathname.replace(/\/+$/, "");
  const [, before = path] = /^(.*?)(?:\/anthropic)?(?:\/v1(?:\/messages(?:\/count_tokens)?)?)?$/.exec(path) ?? [];
  return `${url.origin}${before.replace(/\/(?:openai|models)$/, "")}/anthropic/v1/${wanted}`;
}

/** Models of others: OpenAI's API on hosts of a resource, else that of a host of one model. */
export function foundryUrl(endpoint: Endpoint): string {
  const { base, wanted } = endpoint;
  const url = new URL(base);
  // The API below `/models` is an older one of the same resource.
  const path = withoutOperation(url.pathname).replace(/\/models$/, "");
  if (isResourceHost(url.hostname) || path.includes("/openai"))
    return openaiUrl({ ...endpoint, base: `${url.origin}${path}${url.search}` });
  return `${url.origin}${path.endsWith("/v1") ? path : `${path}/v1`}/${wanted}`;
}

/** Hosts of a resource, which serve all APIs; others serve one model each. */
export function isResourceHost(host: string): boolean {
  return /^[a-z0-9][a-z0-9-]*\.(?:openai\.azure\.com|services\.ai\.azure\.com|cognitiveservices\.azure\.com|openai\.azure\.us)$/.test(host);
}

function withoutOperation(pathname: string): string {
  return pathname.replace(/\/+$/, "").replace(/\/(?:chat\/completions|responses|embeddings)$/, "");
}
