/** The environment of a command that runs through the proxy. */

type Environment = Readonly<Record<string, string | undefined>>;

/** What makes Claude Code tell more about its requests, and ask for our models. */
const extras: Readonly<Record<string, string>> = {
  CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1",
  CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1",
};
const proxyVariables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const loopbackNames = ["127.0.0.1", "localhost", "::1"];

/**
 * The user's environment with the base URLs pointed at the proxy. Extras the user has set keep their values; proxy
 * settings stay, but where there are any the way to the proxy itself is taken out of them.
 */
export function runEnvironment(own: Environment, baseUrl: string): Environment {
  return {
    ...extras,
    ...definedOnly(own),
    ...withoutProxyFor([...loopbackNames, hostOf(baseUrl)], own),
    ANTHROPIC_BASE_URL: baseUrl,
    OPENAI_BASE_URL: baseUrl,
    OPENAI_API_BASE: baseUrl,
  };
}

function definedOnly(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}

function withoutProxyFor(hosts: readonly string[], own: Environment): Environment {
  if (proxyVariables.every((name) => (own[name] ?? "") === "")) return {};
  const existing = ["NO_PROXY", "no_proxy"].filter((name) => own[name] !== undefined);
  // Programs differ in which spelling they look at.
  const names = existing.length === 0 ? ["NO_PROXY", "no_proxy"] : existing;
  return Object.fromEntries(names.map((name) => [name, appendHosts(own[name] ?? "", hosts)]));
}

function appendHosts(list: string, hosts: readonly string[]): string {
  const present = list
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (present.includes("*")) return list;
  return [...new Set([...present, ...hosts])].join(",");
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
}
