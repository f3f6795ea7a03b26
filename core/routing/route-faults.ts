/** What in a configuration cannot work once groups, aliases and providers are joined. */

import type { Provider, Variables } from "../../sdk/provider.ts";
import type { NamedGroup } from "../config/router-types.ts";
import { listWords } from "../config/check.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Config, DeploymentConfig, Fault } from "../config/types.ts";
import { accountId } from "./accounts.ts";
import type { Deployment } from "./deployment.ts";
import { fault } from "./fault.ts";
import { type ByGroup, isAlias, keysWithoutEffect } from "./follow.ts";

/** What in an entry cannot work. Only its own requests fail, so that the rest may start. */
export function entryFaults(
  entry: DeploymentConfig,
  deployment: Deployment,
  providers: readonly Provider[],
  variables: Variables,
): Fault[] {
  return [...unserved(entry, deployment, providers), ...problems(entry, deployment, variables)];
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

function problems(
  { group, location }: DeploymentConfig,
  { provider, problem, question, mockResponse }: Deployment,
  variables: Variables,
): Fault[] {
  if (provider === undefined || mockResponse !== undefined) return [];
  const found = problem === undefined ? (provider.check?.(question, variables) ?? []) : [problem];
  return found.map((message) => fault("warning", location, `requests routed to "${group}" will fail: ${message}`));
}

/** Shares that are not what they seem: LiteLLM looks at one deployment to see by what requests are shared out. */
export function weightFaults(group: string, entries: readonly DeploymentConfig[]): Fault[] {
  const without = entries.filter(({ routing }) => routing.weight === undefined);
  const [first] = without;
  if (first === undefined || without.length === entries.length) return [];
  const found = `${without.length} of ${entries.length} entries of the group "${group}" have no weight`;
  return [fault("warning", first.location, `${found}; beside the others they count as 0. Give all of them a weight, or none`)];
}

/** Keys of entries that only name another group, which have no effect there. */
export function followFaults(entries: readonly DeploymentConfig[], byGroup: ByGroup): Fault[] {
  return entries.flatMap((entry) => {
    const keys = isAlias(entry, byGroup) ? keysWithoutEffect(entry) : [];
    if (keys.length === 0) return [];
    const message = `"${entry.group}" only names the group "${entry.model}", where ${listWords(keys)} must stand; here it has no effect`;
    return [fault("warning", entry.location, message)];
  });
}

/** Ids that mean something else, too. */
export function idFaults(entries: readonly DeploymentConfig[], byGroup: ByGroup): Fault[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return entries.flatMap((entry) => {
    const faults: Fault[] = [];
    if (byGroup.get(entry.id)?.some((other) => other !== entry) === true)
      faults.push(
        fault("warning", entry.location, `the id "${entry.id}" is a model_name, too; requests for it go to this deployment alone`),
      );
    for (let number = 2; number <= entry.accounts.length; number += 1) {
      const other = byId.get(accountId(entry.id, number));
      if (other === undefined) continue;
      const taken = `the id "${other.id}" is that of key ${number} of the entry "${entry.id}"`;
      faults.push(fault("error", other.location, `${taken}; give this one another id`));
    }
    return faults;
  });
}

/** Aliases that lead nowhere. */
export function aliasFaults(config: Config, serves: (name: string) => boolean, groups: Iterable<string>): Fault[] {
  const known = [...groups];
  return [...config.aliases].flatMap(([alias, { group, location }]) => {
    if (serves(group)) return [];
    const message = `model_group_alias "${alias}" points to "${group}", which is no model_name of model_list.${didYouMean(group, known)}`;
    return [fault("error", location, message)];
  });
}

/** Groups that the settings name and nobody serves: what is said for them, or leads to them, never counts. */
export function namedFaults(named: readonly NamedGroup[], serves: (name: string) => boolean, known: readonly string[]): Fault[] {
  return named
    .filter(({ name }) => !serves(name))
    .map(({ name, as, location, path }) => {
      const what = `names "${name}", which is no model_name, alias or id of model_list`;
      const so = as === "source" ? "what is said for it never counts" : "it is skipped";
      return { severity: "warning", ...location, path, message: `${what}; ${so}.${didYouMean(name, known)}` };
    });
}
