/** Limits and budgets, as LiteLLM's requests and replies name them. */

import { z } from "zod";

import type { BudgetWindow, Terms } from "../../sdk/keys.ts";
import { toUsd } from "../../sdk/money.ts";
import { count, duration, listOf, mappingOf, usd } from "./fields.ts";
import { field, type Field } from "./read-body.ts";

const budgetWindow: z.ZodType<BudgetWindow> = z
  .object({ budget_duration: duration, max_budget: usd }, { error: "a mapping with budget_duration and max_budget" })
  .transform(({ budget_duration, max_budget }) => ({ duration: budget_duration, max: max_budget }));

/** LiteLLM has two pairs of names for it, by version. */
const modelBudget: z.ZodType<BudgetWindow> = z.union(
  [
    z
      .object({ budget_limit: usd, time_period: duration })
      .transform(({ budget_limit, time_period }) => ({ duration: time_period, max: budget_limit })),
    budgetWindow,
  ],
  { error: "a mapping with budget_limit (US dollars) and time_period (a duration such as 30d)" },
);

export type TermsFields = {
  readonly max_budget: Field<number>;
  readonly soft_budget: Field<number>;
  readonly budget_duration: Field<string>;
  readonly budget_limits: Field<readonly BudgetWindow[]>;
  readonly rpm_limit: Field<number>;
  readonly tpm_limit: Field<number>;
  readonly max_parallel_requests: Field<number>;
  readonly model_max_budget: Field<Readonly<Record<string, BudgetWindow>>>;
  readonly model_rpm_limit: Field<Readonly<Record<string, number>>>;
  readonly model_tpm_limit: Field<Readonly<Record<string, number>>>;
};

export const termsFields: TermsFields = {
  max_budget: field(usd),
  soft_budget: field(usd),
  budget_duration: field(duration),
  budget_limits: field(listOf(budgetWindow, "budgets")),
  rpm_limit: field(count),
  tpm_limit: field(count),
  max_parallel_requests: field(count),
  model_max_budget: field(mappingOf(modelBudget, "model groups to budgets")),
  model_rpm_limit: field(mappingOf(count, "model groups to requests a minute")),
  model_tpm_limit: field(mappingOf(count, "model groups to tokens a minute")),
};

export type ReadTerms = { readonly [Name in keyof TermsFields]: z.output<TermsFields[Name]> };
export type TermsPatch = { readonly [Name in keyof Terms]: Terms[Name] | null };

/** Null where a request takes something away. */
export function termsOf(fields: ReadTerms): TermsPatch {
  return {
    maxBudget: fields.max_budget,
    softBudget: fields.soft_budget,
    budgetDuration: fields.budget_duration,
    budgetLimits: fields.budget_limits,
    rpm: fields.rpm_limit,
    tpm: fields.tpm_limit,
    maxParallelRequests: fields.max_parallel_requests,
    modelMaxBudget: fields.model_max_budget,
    modelRpm: fields.model_rpm_limit,
    modelTpm: fields.model_tpm_limit,
  };
}

/** Each of the fields is there; null, or an empty mapping, where nothing is set. */
export interface TermsReply {
  readonly max_budget: number | null;
  readonly soft_budget: number | null;
  readonly budget_duration: string | null;
  readonly budget_limits: readonly { readonly budget_duration: string; readonly max_budget: number }[] | null;
  readonly rpm_limit: number | null;
  readonly tpm_limit: number | null;
  readonly max_parallel_requests: number | null;
  readonly model_max_budget: Readonly<Record<string, { readonly budget_limit: number; readonly time_period: string }>>;
  readonly model_rpm_limit: Readonly<Record<string, number>> | null;
  readonly model_tpm_limit: Readonly<Record<string, number>> | null;
}

export function encodeTerms(terms: Terms): TermsReply {
  return {
    max_budget: usdOrNull(terms.maxBudget),
    soft_budget: usdOrNull(terms.softBudget),
    budget_duration: terms.budgetDuration ?? null,
    budget_limits: terms.budgetLimits?.map(({ duration, max }) => ({ budget_duration: duration, max_budget: toUsd(max) })) ?? null,
    rpm_limit: terms.rpm ?? null,
    tpm_limit: terms.tpm ?? null,
    max_parallel_requests: terms.maxParallelRequests ?? null,
    model_max_budget: Object.fromEntries(
      Object.entries(terms.modelMaxBudget ?? {}).map(([model, { duration, max }]) => [
        model,
        { budget_limit: toUsd(max), time_period: duration },
      ]),
    ),
    model_rpm_limit: terms.modelRpm ?? null,
    model_tpm_limit: terms.modelTpm ?? null,
  };
}

function usdOrNull(amount: number | undefined): number | null {
  return amount === undefined ? null : toUsd(amount);
}
