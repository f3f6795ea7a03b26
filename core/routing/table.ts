/** From a model name or a label to deployments: groups, one-name-for-another entries, aliases, wildcards, pass-through. */

import type { Provider } from "../../sdk/provider.ts";
import type { Timeouts } from "../config/types.ts";
import type { RouteRow } from "../status.ts";
import { type Deployment, canonicalName, createPassThrough, hasCredentialHeader, withModel } from "./deployment.ts";
import { findProvider } from "./find-provider.ts";
import { type Pattern, fillPattern } from "./pattern.ts";

/** How a name was resolved, for the trace. */
export type ResolvedBy = "group" | "alias" | "wildcard" | "deployment id" | "pass-through";

export interface Resolution {
  readonly by: ResolvedBy;
  /** Group the deployments belong to. */
  readonly group: string;
  /** In configuration order, never empty. */
  readonly deployments: readonly Deployment[];
}

/** One wildcard entry of `model_list`, its deployments still holding the star. */
export interface WildcardGroup {
  readonly pattern: Pattern;
  readonly deployments: readonly Deployment[];
}

/** A deployment where it is at home. */
export interface RouteEntry {
  readonly group: string;
  readonly deployment: Deployment;
}

export interface RouteTableInit {
  /** Group → deployments, entries that merely name another group already followed. */
  readonly groups: ReadonlyMap<string, { readonly model: string; readonly deployments: readonly Deployment[] }>;
  /** Alias → group. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Most specific first. */
  readonly wildcards: readonly WildcardGroup[];
  readonly providers: readonly Provider[];
  /** For models that no entry names. */
  readonly timeouts: Timeouts;
  readonly labels: ReadonlySet<string>;
  /** Names for `/v1/models`, in configuration order. */
  readonly listed: readonly string[];
}

export class RouteTable {
  readonly listed: readonly string[];
  readonly #init: RouteTableInit;
  readonly #byId = new Map<string, RouteEntry>();

  constructor(init: RouteTableInit) {
    this.#init = init;
    this.listed = init.listed;
    for (const [group, { deployments }] of init.groups) {
      for (const deployment of deployments) {
        if (!this.#byId.has(deployment.deploymentId)) this.#byId.set(deployment.deploymentId, { group, deployment });
      }
    }
  }

  hasGroup(name: string): boolean {
    return this.#init.groups.has(name);
  }

  /** Keys that stand in no configuration file: those of providers' own variables. */
  secrets(): readonly string[] {
    const all = [...this.#init.groups.values(), ...this.#init.wildcards].flatMap(({ deployments }) => deployments);
    return all.flatMap(({ keyVariable, apiKey }) => (keyVariable === undefined ? [] : (apiKey ?? [])));
  }

  /** Every deployment once, with the group it belongs to: in configuration order, those of wildcards last and with their star. */
  entries(): readonly RouteEntry[] {
    const seen = new Set(this.#byId.keys());
    const wild = this.#init.wildcards.flatMap(({ pattern, deployments }) =>
      deployments.map((deployment) => ({ group: pattern.text, deployment })),
    );
    const others = wild.filter(({ deployment: { deploymentId } }) => !seen.has(deploymentId) && seen.add(deploymentId));
    return [...this.#byId.values(), ...others];
  }

  /** Undefined when no entry and no vendor of this build knows the name. */
  resolve(name: string): Resolution | undefined {
    const { groups, aliases } = this.#init;
    const group = groups.get(name);
    if (group !== undefined) return { by: "group", group: name, deployments: group.deployments };
    const aliased = aliases.get(name);
    const target = aliased === undefined ? undefined : groups.get(aliased);
    if (aliased !== undefined && target !== undefined) return { by: "alias", group: aliased, deployments: target.deployments };
    const byId = this.#byId.get(name);
    if (byId !== undefined) return { by: "deployment id", group: byId.group, deployments: [byId.deployment] };
    return this.#resolveWildcard(name) ?? this.#resolvePassThrough(name);
  }

  #resolveWildcard(name: string): Resolution | undefined {
    const { provider, model } = findProvider({ model: name }, this.#init.providers);
    const candidates = provider === undefined ? [name] : [name, `${canonicalName(provider)}/${model}`];
    for (const { pattern, deployments } of this.#init.wildcards) {
      for (const candidate of candidates) {
        const captured = pattern.match(candidate);
        if (captured === undefined) continue;
        const filled = deployments.map((deployment) => withModel(deployment, fillPattern(deployment.model, captured)));
        return { by: "wildcard", group: pattern.text, deployments: filled };
      }
    }
    return undefined;
  }

  #resolvePassThrough(name: string): Resolution | undefined {
    const { provider, model } = findProvider({ model: name }, this.#init.providers);
    // Only vendors whose callers bring a credential of their own.
    if (provider?.recognises?.(model) !== true || provider.isCredential === undefined || provider.defaultApiBase === undefined)
      return undefined;
    return { by: "pass-through", group: model, deployments: [createPassThrough(model, provider, this.#init.timeouts)] };
  }

  /** The table as people read it. */
  describe(): readonly RouteRow[] {
    const rows: RouteRow[] = [];
    for (const [name, { model, deployments }] of this.#init.groups) {
      rows.push({ name, isLabel: this.#init.labels.has(name), model, deployments: deployments.map(describeDeployment) });
    }
    for (const { pattern, deployments } of this.#init.wildcards) {
      rows.push({
        name: pattern.text,
        isLabel: false,
        model: deployments[0]?.model ?? "",
        deployments: deployments.map(describeDeployment),
      });
    }
    return rows;
  }
}

function describeDeployment(deployment: Deployment): RouteRow["deployments"][number] {
  return {
    id: deployment.deploymentId,
    model: deployment.model,
    provider: deployment.providerName,
    apiBase: deployment.mockResponse === undefined && deployment.problem === undefined ? deployment.apiBase : "",
    credential: credentialSource(deployment),
  };
}

function credentialSource(deployment: Deployment): RouteRow["deployments"][number]["credential"] {
  if (deployment.mockResponse !== undefined) return "mock";
  if (deployment.apiKey !== undefined || hasCredentialHeader(deployment)) return "key";
  const { provider } = deployment;
  if (provider === undefined) return "none";
  if (provider.sign !== undefined) return "signed";
  const url = URL.parse(deployment.apiBase);
  return deployment.forwardClientAuth || (url !== null && provider.ownsUrl(url)) ? "caller" : "none";
}
