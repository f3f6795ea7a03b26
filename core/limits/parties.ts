/** Whose limits a request has to fit into. */

import type { Budget, Terms } from "../../sdk/keys.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import { toNanoDollars } from "../../sdk/money.ts";
import type { BudgetConfig } from "../config/store-types.ts";
import type { Config, DeploymentConfig } from "../config/types.ts";
import type { KeyHolder } from "../keys/access.ts";
import { accountOf } from "../keys/account.ts";
import type { Deployment } from "../routing/deployment.ts";
import type { BudgetTerms, Limited, Spending } from "./demands.ts";

type Settings = {
  readonly stores: Pick<Config["stores"], "budget" | "tagBudgets" | "providerBudgets" | "maxParallelRequests">;
  readonly deployments: readonly Pick<DeploymentConfig, "id" | "group">[];
};

export interface Belonging {
  /** Undefined: no virtual key was presented. */
  readonly holder: KeyHolder | undefined;
  /** Those of the request with those of its key. */
  readonly tags: readonly string[];
  readonly config: Settings;
  /** That answers. */
  readonly group: string;
  /** What key, user or team name by `budgetId`. */
  readonly budgetOf?: ((id: string) => Budget | undefined) | undefined;
}

/** Key, user, team, member of the team, tags, everybody; those without limits are left out. */
export function partiesOf({ holder, tags, config, group, budgetOf }: Belonging): readonly Limited[] {
  const parties: Limited[] = [];
  const add = (party: Limited): void => {
    if (isLimited(party)) parties.push(party);
  };
  const terms = (owned: Terms & { readonly budgetId?: string | undefined }): Terms => {
    const shared = owned.budgetId === undefined ? undefined : budgetOf?.(owned.budgetId);
    return shared === undefined ? owned : { ...shared, ...definedOf(owned) };
  };
  const addOwner = (owner: Named, its: Terms): void => {
    add(limitedBy(owner, its));
    add(limitedInModel(owner, its, { group, deployments: config.deployments }));
  };
  if (holder !== undefined) {
    const { key, user, team } = holder;
    const account = accountOf(key);
    addOwner(
      { owner: "api_key", model: "model_per_key", id: account, name: key.alias ?? key.name, filter: { keyId: account } },
      terms(key),
    );
    if (user !== undefined) {
      const named: Named = { owner: "user", model: "model_per_user", id: user.id, name: user.alias, filter: { userId: user.id } };
      // As in LiteLLM, what a key of a team costs is the team's.
      addOwner(named, key.teamId === undefined ? terms(user) : withoutBudgets(terms(user)));
    }
    if (team !== undefined) {
      const named: Named = { owner: "team", model: "model_per_team", id: team.id, name: team.alias, filter: { teamId: team.id } };
      const ofTeam = terms(team);
      addOwner(named, ofTeam);
      const member = team.members.find(({ userId }) => userId === key.userId);
      if (member?.maxBudget !== undefined)
        add({
          owner: "team_member",
          id: `${team.id}:${member.userId}`,
          budgets: [{ max: member.maxBudget, duration: ofTeam.budgetDuration }],
          spending: { filter: { teamId: team.id, userId: member.userId } },
        });
    }
  }
  const { tagBudgets, budget, maxParallelRequests } = config.stores;
  if (tagBudgets.size > 0)
    for (const tag of new Set(tags)) {
      const ofTag = tagBudgets.get(tag);
      if (ofTag !== undefined) add(paying("tag", tag, ofTag, { filter: { tag } }));
    }
  add({ ...paying("global", "all", budget, { filter: {} }), maxParallelRequests });
  return parties;
}

/** What may be spent with a deployment, and with its provider. Its rates and slots are the router's. */
export function partiesOfDeployment(
  { deploymentId, providerName, routing }: Pick<Deployment, "deploymentId" | "providerName" | "routing">,
  { stores }: { readonly stores: Pick<Config["stores"], "providerBudgets"> },
): readonly Limited[] {
  const is = (wanted: string) => (value: string) => value === wanted;
  return [
    paying("deployment", deploymentId, routing.budget, { filter: {}, only: { by: "deployment", has: is(deploymentId) } }),
    paying("provider", providerName, stores.providerBudgets.get(providerName), {
      filter: {},
      only: { by: "provider", has: is(providerName) },
    }),
  ].filter(isLimited);
}

interface Named {
  readonly owner: string;
  /** The owner of limits for one group of models. */
  readonly model: string;
  readonly id: string;
  readonly name: string | undefined;
  readonly filter: Spending["filter"];
}

function limitedBy({ owner, id, name, filter }: Named, terms: Terms): Limited {
  const { rpm, tpm, maxParallelRequests } = terms;
  return { owner, id, name, rpm, tpm, maxParallelRequests, budgets: budgetsOf(terms), spending: { filter } };
}

function limitedInModel(
  { model, id, name = id, filter }: Named,
  { modelRpm, modelTpm, modelMaxBudget }: Terms,
  { group, deployments }: { readonly group: string; readonly deployments: Settings["deployments"] },
): Limited {
  const budget = own(modelMaxBudget, group);
  // One with several accounts is in the ledger by its id, or by that with a number.
  const isOfGroup = (deploymentId: string): boolean =>
    deployments.some((each) => each.group === group && (each.id === deploymentId || deploymentId.startsWith(`${each.id}~`)));
  return {
    owner: model,
    id: `${id}:${group}`,
    name: `${name}, ${group}`,
    rpm: own(modelRpm, group),
    tpm: own(modelTpm, group),
    budgets: budget === undefined ? [] : [{ max: budget.max, duration: budget.duration }],
    spending: { filter, only: { by: "deployment", has: isOfGroup } },
  };
}

/** Of two with the same duration the smaller one: they would share a counter. */
function budgetsOf({ maxBudget, softBudget, budgetDuration, budgetLimits = [] }: Terms): readonly BudgetTerms[] {
  const byDuration = new Map<string | undefined, BudgetTerms>();
  if (maxBudget !== undefined || softBudget !== undefined)
    byDuration.set(budgetDuration, { max: maxBudget, soft: softBudget, duration: budgetDuration });
  for (const { duration, max } of budgetLimits) {
    const other = byDuration.get(duration);
    byDuration.set(duration, { ...other, max: lesser(max, other?.max), duration });
  }
  return [...byDuration.values()];
}

function lesser(max: NanoDollars, other: NanoDollars | undefined): NanoDollars {
  return other === undefined ? max : Math.min(max, other);
}

function paying(owner: string, id: string, budget: BudgetConfig | undefined, spending: Spending): Limited {
  const budgets = budget === undefined ? [] : [{ max: toNanoDollars(budget.max), duration: budget.duration }];
  return { owner, id, budgets, spending };
}

function isLimited({ rpm, tpm, maxParallelRequests, budgets }: Limited): boolean {
  return rpm !== undefined || tpm !== undefined || maxParallelRequests !== undefined || (budgets?.length ?? 0) > 0;
}

function withoutBudgets(terms: Terms): Terms {
  return { ...terms, maxBudget: undefined, softBudget: undefined, budgetLimits: undefined, modelMaxBudget: undefined };
}

/** Names of models come from callers. */
function own<Value>(values: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}

function definedOf(terms: Terms): Terms {
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined));
}
