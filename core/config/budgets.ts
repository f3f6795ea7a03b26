/** Reads what may be spent with tags and providers, and who is told when it nearly is. */

import { z } from "zod";

import { isDuration } from "../keys/durations.ts";
import { checkKeys, checkMapping, checkValue } from "./check.ts";
import { describeValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { amount, key, type MappingSchema } from "./schema-values.ts";
import type { BudgetConfig } from "./store-types.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { Variables } from "./variables.ts";

export const budgetPeriodText: z.ZodType<string> = z
  .string()
  .refine(isDuration, { error: "a time of at most 100 years such as 24h, 7d, 30d or 1mo" });

interface BudgetKeys {
  readonly max_budget: number | undefined;
  readonly budget_limit: number | undefined;
  readonly budget_duration: string | undefined;
  readonly time_period: string | undefined;
}

/** LiteLLM has two pairs of names for it. */
const budgetSchema: MappingSchema<BudgetKeys> = z.object({
  max_budget: key(amount, { description: "What may be spent.", type: "US dollars" }),
  budget_limit: key(amount, { description: "Other spelling of `max_budget`, which wins over it.", type: "US dollars" }),
  budget_duration: key(budgetPeriodText, { description: "After which that begins anew.", type: "time", default: "never" }),
  time_period: key(budgetPeriodText, { description: "Other spelling of `budget_duration`, which wins over it.", type: "time" }),
});

/** @param place a mapping of names to budgets */
export function readBudgets(place: Place, report: Report): ReadonlyMap<string, BudgetConfig> {
  const value = valueOf(place);
  const budgets = new Map<string, BudgetConfig>();
  if (value == null) return budgets;
  if (!isMapping(value)) {
    report.error(place, `is ${describeValue(value)}; wanted a mapping of names to budgets.`);
    return budgets;
  }
  for (const name of Object.keys(value)) {
    const budget = readBudget(within(place, name), report);
    if (budget !== undefined) budgets.set(name, budget);
  }
  return budgets;
}

function readBudget(place: Place, report: Report): BudgetConfig | undefined {
  const keys = checkMapping(place, budgetSchema, report);
  if (keys === undefined) return undefined;
  checkKeys(place, { effective: Object.keys(budgetSchema.shape) }, { unknown: "warning", told: new Set() }, report);
  const max = keys.max_budget ?? keys.budget_limit;
  if (max === undefined) {
    const value = valueOf(place);
    if (isMapping(value) && value["max_budget"] == null && value["budget_limit"] == null)
      report.error(place, "has no max_budget; wanted an amount in US dollars.");
    return undefined;
  }
  return { max, duration: keys.budget_duration ?? keys.time_period };
}

const alertWays: Readonly<Record<"slack" | "webhook", string>> = { slack: "SLACK_WEBHOOK_URL", webhook: "WEBHOOK_URL" };
/** Of LiteLLM's types of alerts the ones there are here. */
const budgetAlerts = "budget_alerts";

const urlText = z.string().refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ""), { error: "an http or https URL" });
const urlList: z.ZodType<readonly string[]> = z.union([urlText.transform((url) => [url]), z.array(urlText)], {
  error: "an http or https URL, or a list of them",
});

/** @param general `general_settings` */
export function readAlertUrls(general: Place, variables: Variables, report: Report): readonly string[] {
  const urls = new Set<string>();
  const read = (place: Place): void => {
    if (valueOf(place) == null) return;
    for (const url of checkValue(place, urlList, report) ?? []) urls.add(url);
  };
  read(within(general, "alert_webhook"));
  const byType = within(general, "alert_to_webhook_url");
  if (isMapping(valueOf(byType))) read(within(byType, budgetAlerts));
  else if (valueOf(byType) != null)
    report.error(byType, `is ${describeValue(valueOf(byType))}; wanted a mapping of types of alerts to URLs.`);
  const ways = within(general, "alerting");
  if (valueOf(ways) != null)
    for (const [index, way] of (checkValue(ways, z.array(z.string()), report) ?? []).entries()) {
      const at = within(ways, index);
      if (way !== "slack" && way !== "webhook") {
        report.note(at, `is ${JSON.stringify(way)}, which is accepted, not yet in effect.`);
        continue;
      }
      const variable = alertWays[way];
      const url = variables.get(variable)?.trim() || undefined;
      if (url !== undefined && urlText.safeParse(url).success) urls.add(url);
      else if (urls.size === 0) report.warning(at, `has no effect: the variable ${variable} holds no URL.`);
    }
  return [...urls];
}
