/** What the holder of a key may grant to another key: never more than it has itself. What it does not have as a limit is none. */

import type { Budget, BudgetWindow, Terms, VirtualKey } from "../../sdk/keys.ts";
import { toUsd } from "../../sdk/money.ts";
import { quote } from "../config/describe.ts";
import { gridOf } from "./durations.ts";
import { coversAddresses } from "./address-cover.ts";
import { allModels, allOfTeam, coversModels, noModels } from "./model-access.ts";
import { coversRoutes } from "./route-access.ts";

export interface Granting {
  /** Names of all access groups. */
  readonly accessGroups: ReadonlySet<string>;
  /** Of the creator's team; undefined where it has none. */
  readonly teamModels?: readonly string[] | undefined;
  /** Whether the creator may make keys for others than its own user and team. */
  readonly isAdmin: boolean;
}

/** Its own terms, and where there are none those of its budget. */
export function withBudget<Limited extends Terms>(record: Limited, budget: Budget | undefined): Limited {
  if (budget === undefined) return record;
  const { id: _, createdAt: __, updatedAt: ___, ...terms } = budget;
  const own = Object.entries(record).filter(([, value]) => value !== undefined);
  return { ...terms, ...Object.fromEntries(own) } as Limited;
}

/**
 * Both keys with the terms of their budgets, see {@link withBudget}.
 *
 * @param wanted as it would be, whether it is new or is changed
 * @returns why not, for people, each naming LiteLLM's field; empty when the creator may
 */
export function refuseGrant(creator: VirtualKey, wanted: VirtualKey, granting: Granting): readonly string[] {
  return [
    ...(granting.isAdmin ? [] : refuseOwner(creator, wanted)),
    ...refuseModels(creator, wanted, granting),
    ...(coversRoutes(creator.allowedRoutes, wanted.allowedRoutes) ? [] : ["allowed_routes: more than your key may call"]),
    ...(coversAddresses(creator.allowedAddresses, wanted.allowedAddresses) ? [] : ["allowed_ips: more than your key may be used from"]),
    ...refuseCacheControls(creator, wanted),
    ...((wanted.expiresAt ?? Infinity) > (creator.expiresAt ?? Infinity) ? ["duration: later than your key expires"] : []),
    ...refuseTerms(creator, wanted),
  ];
}

/** The limits of its user and its team would not hold for a key of others. */
function refuseOwner(creator: VirtualKey, wanted: VirtualKey): readonly string[] {
  return [
    ...(creator.teamId === wanted.teamId ? [] : ["team_id: not that of your key"]),
    ...(creator.userId === wanted.userId ? [] : ["user_id: not that of your key"]),
  ];
}

function refuseModels(creator: VirtualKey, wanted: VirtualKey, { accessGroups, teamModels }: Granting): readonly string[] {
  // Of another team these words mean other models.
  const isSameTeam = creator.teamId !== undefined && creator.teamId === wanted.teamId;
  const meant = isSameTeam ? [allOfTeam, ...(teamModels?.length === 0 ? [allModels] : (teamModels ?? []))] : [noModels];
  const own = creator.models.flatMap((model) => (model === allOfTeam ? meant : [model]));
  const aliases = Object.entries(wanted.aliases).filter(
    ([alias, target]) => ownValue(creator.aliases, alias) !== target && !coversModels(own, [target], accessGroups),
  );
  return [
    ...(coversModels(own, wanted.models, accessGroups) ? [] : ["models: more than your key may use"]),
    ...aliases.map(([alias]) => `aliases[${quote(alias)}]: a model that your key may not use`),
  ];
}

function refuseCacheControls(creator: VirtualKey, wanted: VirtualKey): readonly string[] {
  const { allowedCacheControls: own } = creator;
  const isCovered = own === undefined || wanted.allowedCacheControls?.every((control) => own.includes(control)) === true;
  return isCovered ? [] : ["allowed_cache_controls: more than your key may use"];
}

function refuseTerms(creator: Terms, wanted: Terms): readonly string[] {
  const exceeds = (own: number | undefined, value: number | undefined): boolean => own !== undefined && (value ?? Infinity) > own;
  const rate = (field: string, own: number | undefined, value: number | undefined): readonly string[] =>
    exceeds(own, value) ? [`${field}: more than the ${own} of your key`] : [];
  const rates = (
    field: string,
    own: Readonly<Record<string, number>> | undefined,
    values: Readonly<Record<string, number>> | undefined,
    /** Of all models together, which holds for each. */
    general: number | undefined,
  ): readonly string[] =>
    Object.entries(own ?? {}).flatMap(([model, limit]) => {
      const value = Math.min(ownValue(values, model) ?? Infinity, general ?? Infinity);
      return rate(`${field}[${quote(model)}]`, limit, value);
    });
  return [
    ...refuseBudgets("max_budget", windowsOf(creator), windowsOf(wanted)),
    ...Object.entries(creator.modelMaxBudget ?? {}).flatMap(([model, window]) => {
      const value = ownValue(wanted.modelMaxBudget, model);
      return refuseBudgets(`model_max_budget[${quote(model)}]`, [window], [...(value === undefined ? [] : [value]), ...windowsOf(wanted)]);
    }),
    ...rate("rpm_limit", creator.rpm, wanted.rpm),
    ...rate("tpm_limit", creator.tpm, wanted.tpm),
    ...rate("max_parallel_requests", creator.maxParallelRequests, wanted.maxParallelRequests),
    ...rates("model_rpm_limit", creator.modelRpm, wanted.modelRpm, wanted.rpm),
    ...rates("model_tpm_limit", creator.modelTpm, wanted.modelTpm, wanted.tpm),
  ];
}

type Window = Omit<BudgetWindow, "duration"> & { readonly duration: string | undefined };

function windowsOf({ maxBudget, budgetDuration, budgetLimits = [] }: Terms): readonly Window[] {
  return [...(maxBudget === undefined ? [] : [{ duration: budgetDuration, max: maxBudget }]), ...budgetLimits];
}

/**
 * Each of the creator's budgets has to hold for the other key, too: by one that divides time alike, or that never begins anew. By others, even
 * longer ones, not: two of their periods may touch one of the creator's.
 */
function refuseBudgets(field: string, own: readonly Window[], wanted: readonly Window[]): readonly string[] {
  const grid = ({ duration }: Window): string | undefined => (duration === undefined ? undefined : gridOf(duration));
  return own
    .filter((limit) => !wanted.some((window) => window.max <= limit.max && (window.duration === undefined || grid(window) === grid(limit))))
    .map(
      ({ duration, max }) =>
        `${field}: wanted one of at most ${toUsd(max)} US dollars ${duration === undefined ? "in all" : `in ${duration}`}, as your key has`,
    );
}

function ownValue<Value>(values: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}
