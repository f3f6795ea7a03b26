/** Builds the route table from a configuration and says what in it cannot work. */

import type { ModelList } from "../../sdk/dialect.ts";
import type { Provider } from "../../sdk/provider.ts";
import { everyGroup } from "../config/fallbacks.ts";
import { didYouMean } from "../config/suggest.ts";
import { defaultRouter } from "../config/router-types.ts";
import type { Config, DeploymentConfig, Fault, Location } from "../config/types.ts";
import { type ExpandedEntry, expandAccounts } from "./accounts.ts";
import { type Deployment, type DeploymentContext, createDeployment, withModel } from "./deployment.ts";
import { follow } from "./follow.ts";
import { bySpecificity, createPattern, fillPattern } from "./pattern.ts";
import { fault } from "./fault.ts";
import { aliasFaults, entryFaults, followFaults, idFaults, namedFaults, weightFaults } from "./route-faults.ts";
import { RouteTable, type GroupMembers, type TableEntry, type WildcardGroup } from "./table.ts";

/** The label of a request that no rule matched. */
export const defaultLabel = "default";

/** A label that a file of the user's gives by itself: without a deployment it is a warning, for no entry asked for it. */
export interface OwnLabel {
  readonly label: string;
  readonly location: Location;
}

export interface BuiltRoutes {
  readonly table: RouteTable;
  readonly faults: readonly Fault[];
}

export interface RouteSources {
  readonly providers: readonly Provider[];
  /** Of the client dialects: each may need a group under another name to let its client pick it. */
  readonly modelLists: readonly ModelList[];
}

export function buildRoutes(config: Config, { providers, modelLists }: RouteSources, ownLabels: readonly OwnLabel[] = []): BuiltRoutes {
  const faults: Fault[] = [];
  const { groups, wildcards, entries } = buildGroups(config, providers, faults);
  const aliases = new Map([...config.aliases].map(([alias, { group }]) => [alias, group]));
  const listed = new Set([...groups.keys(), ...[...config.aliases].filter(([, { hidden }]) => !hidden).map(([alias]) => alias)]);
  for (const name of listed) {
    for (const list of modelLists) {
      const id = list.publicId(name);
      if (!groups.has(id) && !aliases.has(id)) aliases.set(id, aliases.get(name) ?? name);
    }
  }
  const table = new RouteTable({
    groups,
    entries,
    aliases,
    wildcards,
    providers,
    timeouts: config.router.timeouts,
    defaultFallbacks: config.router.fallbacks.general.get(everyGroup) ?? [],
    labels: new Set([...config.rules.map((rule) => rule.label), ...ownLabels.map(({ label }) => label), defaultLabel]),
    listed: [...listed],
  });
  const known = [...groups.keys(), ...config.aliases.keys(), ...entries.map(({ id }) => id)];
  faults.push(
    ...aliasFaults(config, (name) => table.isGroup(name), groups.keys()),
    ...labelFaults(config, ownLabels, new Set([...groups.keys(), ...config.aliases.keys()])),
    ...namedFaults(config.router.named, (name) => table.serves(name), known),
  );
  return { table, faults };
}

interface BuiltGroups {
  readonly groups: ReadonlyMap<string, GroupMembers>;
  /** Most specific first. */
  readonly wildcards: readonly WildcardGroup[];
  readonly entries: readonly TableEntry[];
}

/** An entry with what is asked for it. */
interface Member extends ExpandedEntry {
  /** As many as there are configurations, in their order. */
  readonly deployments: readonly Deployment[];
}

function buildGroups(config: Config, providers: readonly Provider[], faults: Fault[]): BuiltGroups {
  const byGroup = Map.groupBy(config.deployments, (entry) => entry.group);
  const context: DeploymentContext = { providers, variables: (name) => config.variable(name) };
  const groups = new Map<string, GroupMembers>();
  const wildcards: WildcardGroup[] = [];
  const entries: TableEntry[] = [];
  for (const [name, written] of byGroup) {
    const followed = written.flatMap((entry) => follow(entry, byGroup, faults));
    const members = expandAccounts(followed).map(({ entry, configs }): Member => ({
      entry,
      configs,
      deployments: configs.map((each) => createDeployment(each, context)),
    }));
    for (const member of members) {
      const { entry } = member;
      const [first] = member.deployments;
      if (entry.group !== name || first === undefined) continue;
      entries.push({ id: entry.id, group: name, model: entry.model, deployments: member.deployments });
      if (!isOpen(entry, first)) faults.push(...entryFaults(entry, first, providers, context.variables));
    }
    faults.push(...followFaults(written, byGroup));
    if (config.router.strategy.name === defaultRouter.strategy.name) faults.push(...weightFaults(name, followed));
    const deployments = members.flatMap((member) => member.deployments);
    if (name.includes("*"))
      wildcards.push({ pattern: createPattern(name), deployments, fill: (captured) => fill(members, captured, context) });
    else if (deployments.length > 0) groups.set(name, { model: written[0]?.model ?? "", deployments });
  }
  faults.push(...idFaults(config.deployments, byGroup));
  wildcards.sort((a, b) => bySpecificity(a.pattern, b.pattern));
  return { groups, wildcards, entries };
}

/** Of `model_name: "*"`, `model: "*"`: whose model it is shows when its name is known. */
function isOpen({ group, model }: DeploymentConfig, { provider }: Deployment): boolean {
  return provider === undefined && group.includes("*") && model.startsWith("*");
}

/** Without those of which nobody knows whose model it would be. */
function fill(members: readonly Member[], captured: readonly string[], context: DeploymentContext): readonly Deployment[] {
  return members.flatMap(({ entry, configs, deployments }) =>
    deployments.flatMap((deployment, index): readonly Deployment[] => {
      const config = configs[index];
      if (config === undefined || !isOpen(entry, deployment)) return [withModel(deployment, fillPattern(deployment.model, captured))];
      const filled = createDeployment({ ...config, model: fillPattern(config.model, captured) }, context);
      return filled.provider === undefined ? [] : [filled];
    }),
  );
}

/** @param known names of groups and aliases */
function labelFaults(config: Config, ownLabels: readonly OwnLabel[], known: ReadonlySet<string>): Fault[] {
  const faults: Fault[] = [];
  for (const { label, location } of config.rules) {
    if (known.has(label)) continue;
    const message = `rule "${label}" leads to the label "${label}", but model_list has no entry with model_name "${label}"; add one`;
    faults.push(fault("error", location, `${message}.${didYouMean(label, known)}`));
  }
  for (const { label, location } of ownLabels) {
    if (known.has(label)) continue;
    const message = `the label "${label}" has no entry in model_list, so a match is answered 404; add one with model_name "${label}"`;
    faults.push(fault("warning", location, `${message}.${didYouMean(label, known)}`));
  }
  if (config.defaultModelPassthrough === false && !known.has(defaultLabel)) {
    faults.push({
      severity: "error",
      file: config.files[0] ?? config.directory,
      path: "ccproxy.default_model_passthrough",
      message: `default_model_passthrough is false, but model_list has no entry "${defaultLabel}" for requests that no rule matches; add one, or remove default_model_passthrough`,
    });
  }
  return faults;
}
