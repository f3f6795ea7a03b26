/** The providers in docs/compatibility.md, out of the plugins: `npm run docs`. A test fails when the page is stale. */

import { join } from "node:path";
import { messagesHosts } from "../plugins/anthropic-compatible/hosts.ts";
import { anthropicCompatible } from "../plugins/anthropic-compatible/index.ts";
import { builtinPlugins } from "../plugins/index.ts";
import { rows } from "../plugins/openai-compatible/table.ts";
import type { Plugin } from "../sdk/plugin.ts";
import type { Provider } from "../sdk/provider.ts";

/** Where the table stands. */
export const compatibilityPage: string = join(import.meta.dirname, "../docs/compatibility.md");

const [begin, end] = ["<!-- providers -->", "<!-- /providers -->"];

/** Pages of the providers that are plugins of their own. */
const vendors: ReadonlyMap<string, string> = new Map([
  ["anthropic", "https://platform.claude.com/docs/en/api/overview"],
  ["gemini", "https://ai.google.dev/gemini-api/docs"],
  ["bedrock", "https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html"],
  ["vertex_ai", "https://cloud.google.com/vertex-ai/generative-ai/docs"],
  ["azure", "https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle"],
  ["azure_ai", "https://learn.microsoft.com/azure/foundry"],
]);

interface Line {
  readonly provider: Provider;
  readonly page: string;
  readonly evidence: "tested" | "documented" | "untested";
}

/** Every provider that answers requests, in the order of the plugins; those of a table by name. */
export function providerLines(): readonly Line[] {
  const plugins: readonly Plugin[] = [...new Set([...builtinPlugins, anthropicCompatible])];
  const providers = plugins.flatMap((plugin) => plugin.setup().providers ?? []).filter((provider) => dialectsOf(provider).length > 0);
  const lines = providers.map((provider) => describe(provider));
  const own = lines.filter(({ provider }) => vendors.has(nameOf(provider)));
  const others = lines.filter(({ provider }) => !vendors.has(nameOf(provider)));
  return [...own, ...others.sort((a, b) => (nameOf(a.provider) < nameOf(b.provider) ? -1 : 1))];
}

/** The table with what introduces it. */
function providerTable(): string {
  const lines = providerLines();
  const tested = lines.filter(({ evidence }) => evidence === "tested").length;
  const table = lines.map(({ provider, page, evidence }) => {
    const names = provider.names.map((name) => `\`${name}\``).join(", ");
    const speaks = dialectsOf(provider).join(", ");
    const keys = (provider.keyVariables ?? []).map((name) => `\`${name}\``);
    const key = keys.join(", ") + (provider.keyOptional === true ? " (or none)" : "");
    return `| ${names} | ${speaks} | ${key} | ${evidence === "untested" ? "*untested*" : evidence} | [page](${page}) |`;
  });
  return [
    `${lines.length} providers, ${tested} of them tested. The name stands before the slash: \`groq/openai/gpt-oss-120b\`.`,
    "",
    "- **tested**: what the host does differently is documented, and a scripted server that wants and answers just that is part of the tests.",
    "- **documented**: what it does differently is on the page, and the tests hold the table to it.",
    "- ***untested***: the address and the key are those of the page; the host is taken to follow the protocol that it claims.",
    "",
    "The first dialect is the one in which clients of another are translated; a client of any of them is passed on as it is. The key is",
    "`api_key` of the deployment, else the first of these variables that is set.",
    "",
    "| Provider | Speaks | Key | Evidence | Documentation |",
    "| --- | --- | --- | --- | --- |",
    ...table,
  ].join("\n");
}

/** The page with the table of today in it. @throws Error where the page has no place for it */
export function withProviderTable(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/compatibility.md has no lines ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${providerTable()}\n\n${page.slice(to)}`;
}

function describe(provider: Provider): Line {
  const name = nameOf(provider);
  const row = rows.find(({ names }) => names[0] === name);
  if (row !== undefined) return { provider, page: row.page, evidence: row.evidence };
  const host = messagesHosts.find((candidate) => name === `${candidate.name}_anthropic`);
  if (host !== undefined) return { provider, page: host.page, evidence: host.evidence };
  const page = vendors.get(name);
  if (page === undefined) throw new Error(`provider "${name}" names no documentation: add it to scripts/provider-table.ts`);
  return { provider, page, evidence: "tested" };
}

/** Of a table's hosts what holds for any model; of the clouds what holds for one of theirs. */
function dialectsOf(provider: Provider): readonly string[] {
  const models = vendors.has(nameOf(provider))
    ? ["claude-opus-5-5", "anthropic.claude-opus-5", "gemini-4-argon", "gpt-5.5", "a-model"]
    : ["a-model"];
  const spoken = models.flatMap((model) => provider.dialects({ model, apiBase: undefined, params: {}, info: {} }, "generate"));
  return [...new Set(spoken)];
}

function nameOf({ names }: Provider): string {
  return names[0] ?? "";
}
