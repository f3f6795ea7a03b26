/**
 * Tells whoever runs the proxy that a budget is nearly, or all, used up: once for each budget, period and threshold, by however many processes, as
 * long as they share limits. Nothing waits for it.
 */

import { randomUUID } from "node:crypto";

import type { Logger } from "../../sdk/log.ts";
import type { LimitStore } from "../../sdk/limits.ts";
import { type NanoDollars, toUsd } from "../../sdk/money.ts";
import type { Limit } from "./demands.ts";
import type { BudgetLimit } from "./spent.ts";
import { ownerName } from "./standing.ts";
import { type Json, postJson } from "./webhook.ts";

export interface BudgetAlertServices {
  readonly limits: Pick<LimitStore, "reserve" | "settle" | "release">;
  readonly logger: Pick<Logger, "warn">;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** Whom to tell, by POST; asked for each alert. */
  readonly urls: () => readonly string[];
  /** Work that nothing waits for but a stop. */
  readonly inBackground: (work: Promise<unknown>) => void;
}

export interface BudgetAlerts {
  /** Whether there is something to tell of a budget. @param spent in its period, without what is only reserved */
  look(limit: BudgetLimit, spent: NanoDollars): void;
}

/** LiteLLM's names of events. */
type Event = "soft_budget_crossed" | "threshold_crossed" | "budget_crossed";

interface Threshold {
  readonly event: Event;
  readonly amount: NanoDollars;
}

const nearlyShare = 0.85;
/** Of a budget that never begins anew. */
const foreverMs = 365 * 86_400_000;

export function createBudgetAlerts({ limits, logger, wallClock, urls, inBackground }: BudgetAlertServices): BudgetAlerts {
  /** By counter, what was told of its period. */
  const told = new Map<string, { readonly period: string; readonly thresholds: Set<string> }>();

  /** Whether no other process, and none before this one, has told it. */
  async function isFirst({ key, budget }: BudgetLimit, threshold: Threshold): Promise<boolean> {
    const { name, endsAt } = budget.period;
    const windowMs = endsAt === undefined ? foreverMs : Math.max(1, endsAt - wallClock());
    const id = `alert:${randomUUID()}`;
    try {
      const once = { kind: "window", key: `alert:${key}:${name}:${nameOf(threshold)}`, amount: 1, limit: 1, windowMs } as const;
      const { isGranted } = await limits.reserve(id, [once], 1000);
      if (isGranted) await limits.settle(id, [1]);
      return isGranted;
    } catch {
      // Told twice is better than not at all.
      return true;
    }
  }

  async function tell(limit: BudgetLimit, threshold: Threshold, spent: NanoDollars): Promise<void> {
    if (!(await isFirst(limit, threshold))) return;
    const fields = fieldsOf(limit, threshold, spent);
    const { text, ...logged } = fields;
    logger.warn(logged, String(text));
    await Promise.all(urls().map(async (url) => postJson(url, fields, logger)));
  }

  return {
    look(limit, spent) {
      const passed = thresholdsOf(limit.budget).filter(({ amount }) => spent >= amount);
      if (passed.length === 0) return;
      const period = limit.budget.period.name;
      let known = told.get(limit.key);
      if (known?.period !== period) told.set(limit.key, (known = { period, thresholds: new Set() }));
      const fresh = passed.filter((threshold) => !known.thresholds.has(nameOf(threshold)));
      for (const threshold of fresh) known.thresholds.add(nameOf(threshold));
      // Whoever hears that all is gone need not hear that it was nearly so.
      const isGone = passed.some(({ event }) => event === "budget_crossed");
      for (const threshold of fresh) if (threshold.event !== "threshold_crossed" || !isGone) inBackground(tell(limit, threshold, spent));
    },
  };
}

function thresholdsOf({ max, soft }: BudgetLimit["budget"]): readonly Threshold[] {
  return [
    ...(soft === undefined ? [] : [{ event: "soft_budget_crossed", amount: soft } as const]),
    ...(max === undefined
      ? []
      : ([
          { event: "threshold_crossed", amount: Math.ceil(max * nearlyShare) },
          { event: "budget_crossed", amount: max },
        ] as const)),
  ];
}

/** With its amount: of a budget that was raised there is something new to tell. */
function nameOf({ event, amount }: Threshold): string {
  return `${event}:${amount}`;
}

const said: Readonly<Record<Event, (spent: string, soft: string, max: string) => string>> = {
  soft_budget_crossed: (spent, soft) => `has passed its soft budget: ${spent} of ${soft}`,
  threshold_crossed: (spent, _, max) => `is nearly used up: ${spent} of ${max}`,
  budget_crossed: (spent, _, max) => `is used up: ${spent} of ${max}`,
};

/** `text` is what Slack shows; the rest has LiteLLM's names. An id of a key is a hash, and opens nothing. */
function fieldsOf({ owner, id, name, budget }: BudgetLimit, { event }: Threshold, spent: NanoDollars): Json {
  const { max, soft, duration, period } = budget;
  const what = `Budget of ${ownerName(owner)} ${name}${duration === undefined ? "" : ` for ${duration}`}`;
  const message = `${what} ${said[event](dollars(spent), dollars(soft ?? 0), dollars(max ?? 0))}.`;
  return {
    text: message,
    event,
    event_group: groupOf(owner),
    event_message: message,
    id,
    name,
    spend: toUsd(spent),
    max_budget: max === undefined ? null : toUsd(max),
    soft_budget: soft === undefined ? null : toUsd(soft),
    budget_duration: duration ?? null,
    budget_reset_at: period.endsAt === undefined ? null : new Date(period.endsAt).toISOString(),
  };
}

function groupOf(owner: Limit["owner"]): string {
  return owner === "global" ? "proxy" : ownerName(owner).replace(" ", "_");
}

function dollars(amount: NanoDollars): string {
  const value = toUsd(amount);
  return `$${value >= 0.01 || value === 0 ? value.toFixed(2) : value.toPrecision(2)}`;
}
