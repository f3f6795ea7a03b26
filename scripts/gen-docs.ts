/** Writes docs/configuration.md from the schemas, and the providers of docs/compatibility.md: `npm run docs`. A test fails when a page is stale. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import {
  laterCcproxyKeys,
  laterGeneralKeys,
  laterLitellmKeys,
  laterParams,
  laterRouterKeys,
  laterSections,
  laterServerKeys,
} from "../core/config/later-keys.ts";
import { ccproxySchema, hookSchema, litellmServerSchema, logSchema, ruleSchema, tokenSourceSchema } from "../core/config/schema-ccproxy.ts";
import {
  aliasSchema,
  deploymentSchema,
  generalSchema,
  litellmSettingsSchema,
  paramsSchema,
  sectionSchema,
} from "../core/config/schema-litellm.ts";
import { infoSchema, outgoingSchema, providerSchema } from "../core/config/schema-params.ts";
import {
  allowedFailsPolicySchema,
  choiceSchema,
  failureSchema,
  healthSchema,
  retryPolicySchema,
  streamSchema,
} from "../core/config/schema-router.ts";
import { cacheParamSchema, cacheSettingSchema, redisSchema, storeSchema } from "../core/config/schema-stores.ts";
import { healthInfoSchema, routingSchema, timeoutSchema } from "../core/config/schema-routing.ts";
import { compatibilityPage, withProviderTable } from "./provider-table.ts";

/** Where the page lives. */
export const configurationPage: string = join(import.meta.dirname, "../docs/configuration.md");

/** The whole page. */
export function renderConfiguration(): string {
  return `${[intro, ccproxyPart(), litellmPart(), laterPart(), projectPart].join("\n\n")}\n`;
}

const intro = `<!-- Written by scripts/gen-docs.ts from core/config/schema-*.ts. Change those, then: npm run docs -->

# Configuration

Two files in one folder: \`config.yaml\` says which models exist and where they are served, in LiteLLM's format; \`ccproxy.yaml\` says
which requests go where, and sets up the server. \`ccproxy install\` writes both; only \`config.yaml\` must be there. Either may end in
\`.yml\`.

The folder is that of \`--config-dir\`, else of the variable \`CCPROXY_CONFIG_DIR\`, else \`~/.ccproxy\`.

\`\`\`yaml
# config.yaml
model_list:
  - model_name: default                   # a label, or what clients ask for
    litellm_params:
      model: claude-sonnet-5-5            # another model_name
  - model_name: claude-sonnet-5-5
    litellm_params:
      model: anthropic/claude-sonnet-5-5  # provider/model
      api_base: https://api.anthropic.com # no api_key: the caller's own credential
  - model_name: long_context
    litellm_params:
      model: anthropic/some-other-model
      api_base: https://models.example.com/anthropic
      api_key: os.environ/EXAMPLE_API_KEY
\`\`\`

\`\`\`yaml
# ccproxy.yaml
ccproxy:
  hooks:
    - ccproxy.hooks.rule_evaluator        # gives the label
    - ccproxy.hooks.model_router          # turns it into a model
  rules:
    - name: long_context
      rule: ccproxy.rules.TokenCountRule
      params:
        - threshold: 120000
\`\`\`

- \`ccproxy check\` reads everything and tells every fault at once: file, line, column, what was found, what is wanted. An **error** stops
  a start and keeps a reload from taking place; a **warning** is something that will not work as written; a **note** tells of a key that
  is accepted without an effect.
- A saved change is taken into use at once. While a file is broken, the last good configuration stays in force; \`ccproxy status\` says so.
- An empty value counts as an absent key. Times are in seconds.
- The files are YAML 1.2 in UTF-8. Aliases and merge keys (\`<<\`) work; a key that stands twice in one mapping, a file of more than 1 MB,
  one whose aliases expand to an absurd size, or one nested more than 100 deep is refused.
- In both files a value \`os.environ/NAME\` is replaced by that variable, in mappings and in mappings inside lists, not in a text directly
  inside a list (but for \`api_keys\`). A variable that is not set, or blank, leaves the key empty, with a warning. It is an error where going on would be
  unsafe: for \`master_key\`, \`api_base\` and \`base_url\`.
- No other variables are read but \`CCPROXY_…\`, those that \`config.yaml\` names or that a provider's key is kept in,
  \`LITELLM_MASTER_KEY\`, \`SSL_VERIFY\` and \`SSL_CERT_FILE\`, and those that name a proxy.`;

function ccproxyPart(): string {
  return `## ccproxy.yaml

### \`ccproxy:\`

An unknown key is an error, because a mistyped \`rules\` would mean that nothing is routed.

${table(ccproxySchema)}

### rules

Each entry of \`ccproxy.rules\`. The rules that are built in, and what each takes, are in [rules.md](rules.md).

${table(ruleSchema)}

#### Parameters

Of rules and hooks alike:

| \`params\` | The rule or hook is given |
| --- | --- |
| absent, empty, \`0\`, \`false\` | nothing |
| a mapping | its keys, by name |
| a list of mappings only | their keys, by name; of a repeated one the last counts |
| any other list | its items, by position, mappings too |
| any other value | that value, by position |

### hooks

Each entry of \`ccproxy.hooks\` is the name of a hook, or a mapping:

${table(hookSchema)}

The built-in steps are \`ccproxy.hooks.rule_evaluator\`, \`ccproxy.hooks.model_router\`, \`ccproxy.hooks.forward_oauth\` and
\`ccproxy.hooks.forward_apikey\`; where the first two stand among the hooks, there rules are asked and the model is chosen.

### Code of your own

Rules and hooks in TypeScript or JavaScript lie beside \`config.yaml\`. They are compiled when they are saved, and run in a sandbox.

Files in \`rules/\` and \`hooks/\` need no entry: those whose default export was made with \`defineRule\` or \`defineHook\` are loaded in
the order of their names, rules after the configured ones. Left out are \`*.test.ts\`, \`*.d.ts\`, names that begin with \`_\` or \`.\`,
sub-folders, and files that an entry names: the entry takes their place, and may give parameters.

| A reference | is |
| --- | --- |
| \`./rules/vip.ts\` | the default export of that file |
| \`./rules/vip.ts:Vip\`, \`rules.vip.Vip\`, \`rules.vip:Vip\` | its export \`Vip\`; the ending may be \`.ts\`, \`.mts\`, \`.js\` or \`.mjs\` |
| \`some-package.name\`, \`@scope/package/sub:name\` | an export of a package in \`node_modules\`, where there is no such file |
| \`ccproxy.rules.KeywordRule\`, \`ccproxy.hooks.redact_secrets\` | a built-in or ready-made one |

Files import each other, packages installed beside the configuration, and \`ccproxy/sdk\`. Modules of Node, native code and names that
are only known when the code runs are errors. Of a \`tsconfig.json\` in the folder the options count that say how code is compiled.

### Grants

A file sees requests and replies, and reaches nothing else. Each entry may grant its file more:

| Grant | allows |
| --- | --- |
| \`fetch:api.example.com\`, \`fetch:api.example.com:8443\` | \`context.fetch\` to this host, by HTTPS; wildcards and addresses of the own network are errors. A service on this machine: \`fetch:http://127.0.0.1:8080\`, always with its port |
| \`env:NAME\` | \`context.env.NAME\`, from \`environment_variables\` or the environment |
| \`callModel:group\` | \`context.callModel\` with this model group |
| \`kv\` | \`context.kv\`, a store on disk for this file alone |
| \`reply:tools\` | making and changing tool calls in replies |

### oat_sources

Each value of \`ccproxy.oat_sources\`, under the name of its provider, is a shell command that prints the token, or a mapping: with
\`command\`, or with \`file\` and \`path\`.

${table(tokenSourceSchema)}

### log

${table(logSchema)}

### \`litellm:\`

Kept from the Python original.

${table(litellmServerSchema)}`;
}

function litellmPart(): string {
  return `## config.yaml

An unknown key is a warning. What LiteLLM knows and ccproxy does not use yet is listed [below](#accepted-without-effect).

${table(sectionSchema)}

### model_list

Each entry:

${table(deploymentSchema)}

A name that is asked for, be it a label or the model of a request, is the first of these:

1. the id of an entry: that deployment alone, even while it is out of use
2. an alias of \`model_group_alias\`, followed once
3. a \`model_name\`
4. what a wildcard takes, the one with the most letters first; \`anthropic/*\` takes \`claude-…\`, too, whose provider is known
5. \`litellm_params.model\` of entries, as written
6. a vendor's own model, which passes through with the caller's own credential
7. anything, when there are \`default_fallbacks\`: the first of them that is served

#### litellm_params

${table(paramsSchema)}

How it is chosen, and what happens when it fails:

${table(routingSchema)}

How long is waited:

${table(timeoutSchema)}

What is done to requests and replies:

${table(outgoingSchema)}

What single providers need; which provider is which, and the variables that hold their keys, are in [compatibility.md](compatibility.md#providers):

${table(providerSchema)}

#### model_info

${table(infoSchema)}

For choosing and checking:

${table(healthInfoSchema)}

### router_settings

Who is asked:

${table(choiceSchema)}

An alias that is a mapping:

${table(aliasSchema)}

What happens when asking fails:

${table(failureSchema)}

\`retry_policy\`, and each value of \`model_group_retry_policy\`:

${table(retryPolicySchema)}

\`allowed_fails_policy\`:

${table(allowedFailsPolicySchema)}

How long is waited, and what becomes of streams:

${table(streamSchema)}

Redis:

${table(redisSchema)}

### general_settings

${table(generalSchema)}

Checks of deployments:

${table(healthSchema)}

Keys, limits and spend:

${table(storeSchema)}

### litellm_settings

${table(litellmSettingsSchema)}

The cache, and a budget of all callers together:

${table(cacheSettingSchema)}

\`cache_params\`:

${table(cacheParamSchema)}`;
}

function laterPart(): string {
  return `## Accepted without effect

These keys make a note and nothing else.

- **\`ccproxy:\`** ${list(laterCcproxyKeys.keys())}
- **\`litellm:\`** ${list(laterServerKeys.keys())}
- **Sections of config.yaml** ${list(laterSections)}
- **litellm_params** ${list(laterParams)}, other \`aws_*\`, \`vertex_*\`, \`watsonx_*\`, \`azure_*\`, \`auto_router_*\`, \`complexity_router_*\`, \`adaptive_router_*\`
- **router_settings** ${list(laterRouterKeys)}
- **general_settings** ${list(laterGeneralKeys)}
- **litellm_settings** ${list(laterLitellmKeys)}`;
}

const projectPart = `## Project files

A project may bring rules of its own, in \`.ccproxyrc\`, \`.ccproxyrc.yaml\`, \`.ccproxyrc.yml\`, \`.ccproxyrc.json\`, or under \`ccproxy\` in
\`package.json\`. The nearest one counts, from the current folder upwards to below the home folder.

\`\`\`yaml
# .ccproxyrc
rules:
  - name: long_context
    rule: ccproxy.rules.TokenCountRule
    params: [{ threshold: 30000 }]
\`\`\`

It holds \`rules\` and nothing else; they are built-in ones, and their labels must be ones that the user's own configuration has. It has no effect until
\`ccproxy trust\` has been run in the project, and applies to requests of \`ccproxy run\` started there. Trust goes by content: a changed file
has to be trusted again. Only YAML and JSON are read. Nothing in a repository is ever run, \`os.environ/\` is not replaced, and a link that
leads out of its folder is refused.`;

function table(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).map(([key, value]) => {
    const meta = (value as z.ZodType).meta() ?? {};
    const cell = (name: string): string => (typeof meta[name] === "string" ? meta[name].replaceAll("|", "\\|") : "");
    return `| \`${key}\` | ${cell("type")} | ${cell("default")} | ${cell("description")} |`;
  });
  return ["| Key | Value | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function list(keys: Iterable<string>): string {
  return Array.from(keys, (key) => `\`${key}\``).join(", ");
}

if (import.meta.main) {
  await writeFile(configurationPage, renderConfiguration());
  await writeFile(compatibilityPage, withProviderTable(await readFile(compatibilityPage, "utf8")));
}
