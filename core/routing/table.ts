/** From a model name or a label to deployments: ids, aliases, groups, wildcards, models of entries, pass-through, default fallbacks. */

import type { Provider } from "../../sdk/provider.ts";
import type { FallbackTarget } from "../config/router-types.ts";
import type { Timeouts } from "../config/types.ts";
import type { RouteRow } from "../status.ts";
import { type Deployment, canonicalName, createPassThrough, hasCredentialHeader } from "./deployment.ts";
import { findProvider } from "./find-provider.ts";
import type { Pattern } from "./pattern.ts";

/** How a name was resolved, for the trace. */
export type ResolvedBy = "deployment id" | "alias" | "group" | "wildcard" | "model" | "pass-through" | "default fallback";

export interface Resolution {
  readonly by: ResolvedBy;
  /** Group the deployments belong to. */
  readonly group: string;
  /** In configuration order, never empty. */
  readonly deployments: readonly Deployment[];
  /** Fields of the request that a default fallback replaces. */
  readonly overrides?: FallbackTarget["overrides"];
}

export interface GroupMembers {
  /** Of its first entry, as written. */
  readonly model: string;
  readonly deployments: readonly Deployment[];
}

/** One entry of `model_list` that is served itself, wildcards included. */
export interface TableEntry {
  readonly id: string;
  readonly group: string;
  /** `litellm_params.model`, as written. */
  readonly model: string;
  /** One for each of its keys, never empty. */
  readonly deployments: readonly Deployment[];
}

/** A deployment where it is at home. */
export interface RouteEntry {
  readonly group: string;
  readonly deployment: Deployment;
}

/** One wildcard of `model_list`. */
export interface WildcardGroup {
  readonly pattern: Pattern;
  /** Still holding the star. */
  readonly deployments: readonly Deployment[];
  /** With what the stars matched in place of theirs; empty where nobody serves that. */
  fill(captured: readonly string[]): readonly Deployment[];
}

export interface RouteTableInit {
  /** Group → deployments, entries that merely name another group already followed. */
  readonly groups: ReadonlyMap<string, GroupMembers>;
  /** In configuration order. */
  readonly entries: readonly TableEntry[];
  /** Alias → group. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Most specific first. */
  readonly wildcards: readonly WildcardGroup[];
  readonly providers: readonly Provider[];
  /** For models that no entry names. */
  readonly timeouts: Timeouts;
  /** For models that nobody serves. */
  readonly defaultFallbacks: readonly FallbackTarget[];
  readonly labels: ReadonlySet<string>;
  /** Names for `/v1/models`, in configuration order. */
  readonly listed: readonly string[];
}

type Members = Pick<Resolution, "group" | "deployments">;

export class RouteTable {
  readonly listed: readonly string[];
  readonly #init: RouteTableInit;
  /** Of entries, and of each of their keys. */
  readonly #byId = new Map<string, Members>();
  readonly #byModel = new Map<string, Members>();
  /** Of deployments that are one of several of an entry: which one. */
  readonly #keys = new Map<string, string>();

  constructor(init: RouteTableInit) {
    this.#init = init;
    this.listed = init.listed;
    for (const { id, group, model, deployments } of init.entries) {
      for (const [index, { deploymentId }] of deployments.entries()) {
        if (deployments.length > 1) this.#keys.set(deploymentId, `${index + 1} of ${deployments.length}`);
      }
      if (group.includes("*")) continue;
      this.#byId.set(id, { group, deployments });
      for (const deployment of deployments.slice(1)) this.#byId.set(deployment.deploymentId, { group, deployments: [deployment] });
      const same = this.#byModel.get(model);
      this.#byModel.set(model, { group: same?.group ?? group, deployments: [...(same?.deployments ?? []), ...deployments] });
    }
  }

  hasGroup(name: string): boolean {
    return this.#init.groups.has(name);
  }

  /** Whether an alias may lead there. */
  isGroup(name: string): boolean {
    return this.#resolveGroup(name) !== undefined;
  }

  /** Whether anything but a default fallback answers to the name. */
  serves(name: string): boolean {
    return this.#resolve(name) !== undefined;
  }

  /** Keys that stand in no configuration file: those of providers' own variables. */
  secrets(): readonly string[] {
    return this.entries().flatMap(({ deployment: { keyVariable, apiKey } }) => (keyVariable === undefined ? [] : (apiKey ?? [])));
  }

  /** Every deployment once, with the group it belongs to, in configuration order; those of wildcards with their star. */
  entries(): readonly RouteEntry[] {
    return this.#init.entries.flatMap(({ group, deployments }) => deployments.map((deployment) => ({ group, deployment })));
  }

  /** Undefined when no entry and no vendor of this build knows the name, and there is no default fallback. */
  resolve(name: string): Resolution | undefined {
    return this.#resolve(name) ?? this.#resolveDefault();
  }

  /** In LiteLLM's order; a vendor's own model that no entry names passes through. */
  #resolve(name: string): Resolution | undefined {
    const byId = this.#byId.get(name);
    if (byId !== undefined) return { by: "deployment id", ...byId };
    // Once: an alias of an alias is none.
    const aliased = this.#init.aliases.get(name);
    const target = aliased === undefined ? undefined : this.#resolveGroup(aliased);
    if (target !== undefined) return { ...target, by: "alias" };
    const group = this.#resolveGroup(name);
    if (group !== undefined) return group;
    const byModel = this.#byModel.get(name);
    return byModel === undefined ? this.#resolvePassThrough(name) : { by: "model", ...byModel };
  }

  #resolveGroup(name: string): Resolution | undefined {
    const group = this.#init.groups.get(name);
    return group === undefined ? this.#resolveWildcard(name) : { by: "group", group: name, deployments: group.deployments };
  }

  #resolveDefault(): Resolution | undefined {
    for (const { name, overrides } of this.#init.defaultFallbacks) {
      const target = this.#resolve(name);
      if (target !== undefined) return { ...target, by: "default fallback", overrides };
    }
    return undefined;
  }

  #resolveWildcard(name: string): Resolution | undefined {
    const { provider, model } = findProvider({ model: name }, this.#init.providers);
    const candidates = provider === undefined ? [name] : [name, `${canonicalName(provider)}/${model}`];
    for (const wildcard of this.#init.wildcards) {
      for (const candidate of candidates) {
        const captured = wildcard.pattern.match(candidate);
        const deployments = captured === undefined ? [] : wildcard.fill(captured);
        if (deployments.length > 0) return { by: "wildcard", group: wildcard.pattern.text, deployments };
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
      rows.push({ name, isLabel: this.#init.labels.has(name), model, deployments: this.#describe(deployments) });
    }
    for (const { pattern, deployments } of this.#init.wildcards) {
      rows.push({
        name: pattern.text,
        isLabel: false,
        model: deployments[0]?.model ?? "",
        deployments: this.#describe(deployments),
      });
    }
    return rows;
  }

  #describe(deployments: readonly Deployment[]): RouteRow["deployments"] {
    return deployments.map((deployment) => {
      const key = this.#keys.get(deployment.deploymentId);
      return { ...describeDeployment(deployment), ...(key === undefined ? {} : { key }) };
    });
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
