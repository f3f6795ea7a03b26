/** Builds the route table from a configuration and says what in it cannot work. */

import type { ModelList } from "../../sdk/dialect.ts";
import type { Provider, Variables } from "../../sdk/provider.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Config, DeploymentConfig, Fault, Location } from "../config/types.ts";
import { type Deployment, createDeployment } from "./deployment.ts";
import { bySpecificity, createPattern } from "./pattern.ts";
import { RouteTable, type WildcardGroup } from "./table.ts";

/** The label of a request that no rule matched. */
export const defaultLabel = "default";

export interface BuiltRoutes {
  readonly table: RouteTable;
  readonly faults: readonly Fault[];
}

/** A label that a file of the user's gives by itself: without a deployment it is a warning, for no entry asked for it. */
export interface OwnLabel {
  readonly label: string;
  readonly location: Location;
}

export interface RouteSources {
  readonly providers: readonly Provider[];
  /** Of the client dialects: each may need a group under another name to let its client pick it. */
  readonly modelLists: readonly ModelList[];
}

export function buildRoutes(config: Config, { providers, modelLists }: RouteSources, ownLabels: readonly OwnLabel[] = []): BuiltRoutes {
  const faults: Fault[] = [];
  const byGroup = Map.groupBy(config.deployments, (entry) => entry.group);
  const groups = new Map<string, { model: string; deployments: readonly Deployment[] }>();
  const wildcards: WildcardGroup[] = [];
  for (const [name, entries] of byGroup) {
    const own = entries.flatMap((entry) => follow(entry, byGroup, faults));
    const deployments = own.map((entry) => createDeployment(entry, { providers, variables: (name) => config.variable(name) }));
    for (const [index, deployment] of deployments.entries()) {
      const entry = own[index];
      if (entry === undefined || entry.group !== name) continue;
      faults.push(...unserved(entry, deployment, providers), ...problems(entry, deployment, (variable) => config.variable(variable)));
    }
    if (name.includes("*")) wildcards.push({ pattern: createPattern(name), deployments });
    else if (deployments.length > 0) groups.set(name, { model: entries[0]?.model ?? "", deployments });
  }
  wildcards.sort((a, b) => bySpecificity(a.pattern, b.pattern));

  const aliases = new Map<string, string>();
  for (const [alias, { group, location }] of config.aliases) {
    if (groups.has(group)) aliases.set(alias, group);
    else
      faults.push(
        fault(
          "error",
          location,
          `model_group_alias "${alias}" points to "${group}", which is no model_name of model_list.${didYouMean(group, groups.keys())}`,
        ),
      );
  }
  const listed = [...groups.keys(), ...[...config.aliases].filter(([, { hidden }]) => !hidden).map(([alias]) => alias)];
  for (const name of listed) {
    for (const list of modelLists) {
      const id = list.publicId(name);
      if (!groups.has(id) && !aliases.has(id)) aliases.set(id, aliases.get(name) ?? name);
    }
  }

  const labels = new Set(config.rules.map((rule) => rule.label));
  for (const rule of config.rules) {
    if (groups.has(rule.label)) continue;
    faults.push(
      fault(
        "error",
        rule.location,
        `rule "${rule.label}" leads to the label "${rule.label}", but model_list has no entry with model_name "${rule.label}"; add one.${didYouMean(rule.label, groups.keys())}`,
      ),
    );
  }
  for (const { label, location } of ownLabels) {
    labels.add(label);
    if (groups.has(label)) continue;
    const message = `the label "${label}" has no entry in model_list, so a match is answered 404; add one with model_name "${label}"`;
    faults.push(fault("warning", location, `${message}.${didYouMean(label, groups.keys())}`));
  }
  if (config.defaultModelPassthrough === false && !groups.has(defaultLabel)) {
    const file = config.files[0] ?? config.directory;
    faults.push({
      severity: "error",
      file,
      path: "ccproxy.default_model_passthrough",
      message: `default_model_passthrough is false, but model_list has no entry "${defaultLabel}" for requests that no rule matches; add one, or remove default_model_passthrough`,
    });
  }
  labels.add(defaultLabel);
  return { table: new RouteTable({ groups, aliases, wildcards, providers, timeouts: config.router.timeouts, labels, listed }), faults };
}

/**
 * An entry that only names another group (`model_name: think`, `model: claude-opus-5-5`) stands for that
 * group's deployments. One that has a base, key or mock of its own is a deployment, whatever its name.
 */
function follow(
  entry: DeploymentConfig,
  byGroup: ReadonlyMap<string, readonly DeploymentConfig[]>,
  faults: Fault[],
  seen: readonly string[] = [],
): readonly DeploymentConfig[] {
  const named = entry.model === entry.group ? undefined : byGroup.get(entry.model);
  const isAlias = named !== undefined && entry.apiBase === undefined && entry.apiKey === undefined && entry.mockResponse === undefined;
  if (!isAlias) return [entry];
  if (seen.includes(entry.group)) {
    const circle = [...seen.slice(seen.indexOf(entry.group)), entry.group].join(" → ");
    if (seen[0] === entry.group)
      faults.push(
        fault(
          "error",
          entry.location,
          `model_list entries name each other in a circle: ${circle}; let one of them name a provider's model`,
        ),
      );
    return [];
  }
  return named.flatMap((next) => follow(next, byGroup, faults, [...seen, entry.group]));
}

function unserved(entry: DeploymentConfig, deployment: Deployment, providers: readonly Provider[]): Fault[] {
  if (deployment.provider !== undefined || deployment.mockResponse !== undefined) return [];
  const { providerName } = deployment;
  const what =
    providerName === "unknown"
      ? `"${entry.model}" names no provider; write one before a slash, as in "anthropic/${entry.model}" or "openai/${entry.model}"`
      : `there is no provider "${providerName}".${didYouMean(
          providerName,
          providers.flatMap(({ names }) => names),
        )} A host that is compatible with OpenAI's API is named by "openai/${deployment.model.split("/").at(-1)}" and its api_base`;
  return [fault("warning", entry.location, `${what}. Requests routed to "${entry.group}" are answered 501 until then.`)];
}

/** What in an entry cannot work, though a provider serves it. Only its own requests fail, so that the rest may start. */
function problems(
  { group, location }: DeploymentConfig,
  { provider, problem, question, mockResponse }: Deployment,
  variables: Variables,
): Fault[] {
  if (provider === undefined || mockResponse !== undefined) return [];
  const found = problem === undefined ? (provider.check?.(question, variables) ?? []) : [problem];
  return found.map((message) => fault("warning", location, `requests routed to "${group}" will fail: ${message}`));
}

function fault(severity: Fault["severity"], location: Location, message: string): Fault {
  return { severity, ...location, message };
}
