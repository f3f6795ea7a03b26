/** Gives the exchange its label: the first rule that matches wins. */

import type { RequestBody } from "../../sdk/body.ts";
import type { RuleRequest, TokenCounter } from "../../sdk/rule.ts";
import { partsOf } from "../phases/body-parts.ts";
import type { OrderedRule } from "../phases/policy-order.ts";
import type { PhaseServices } from "../phases/phase-services.ts";
import { runPhase } from "../phases/run-phase.ts";
import { type LoadedUnit, unitName } from "../phases/user-program.ts";
import type { Exchange } from "../exchange.ts";

export interface RuleServices extends PhaseServices {
  counterFor(body: RequestBody): TokenCounter;
}

type BuiltinRule = Extract<OrderedRule, { readonly type: "built-in" }>;

/**
 * Rules are asked in order until one answers. One that fails is no match, unless its entry says otherwise.
 * Neighbouring rules of the user's are asked in one call.
 *
 * @throws ProxyError 503 when a rule failed whose failure denies the request
 */
export async function evaluateRules(exchange: Exchange, rules: readonly OrderedRule[], services: RuleServices): Promise<void> {
  if (rules.length === 0) return;
  let view: RuleRequest | undefined;
  for (let index = 0; index < rules.length;) {
    const rule = rules[index];
    if (rule?.type === "user") {
      const units = neighbours(rules, index);
      if (await matchOwn(exchange, units, services)) return;
      index += units.length;
    } else {
      view ??= ruleRequest(exchange, services);
      if (rule !== undefined && (await matchBuiltin(exchange, rule, view, services))) return;
      index++;
    }
  }
  exchange.trace.add("rules", "none matched", { asked: rules.length });
}

function neighbours(rules: readonly OrderedRule[], first: number): readonly LoadedUnit[] {
  const units: LoadedUnit[] = [];
  for (let index = first; index < rules.length; index++) {
    const rule = rules[index];
    if (rule?.type !== "user") break;
    units.push(rule.unit);
  }
  return units;
}

async function matchOwn(exchange: Exchange, units: readonly LoadedUnit[], services: RuleServices): Promise<boolean> {
  const { userProgram: program } = exchange;
  if (program === undefined) return false;
  const { by, label } = await runPhase(exchange, services, {
    program,
    phase: "rule",
    units,
    body: partsOf(exchange.request, exchange.facts),
  });
  if (by === undefined || label === undefined) return false;
  exchange.labelBy({ label, rule: unitName(by) });
  return true;
}

async function matchBuiltin(exchange: Exchange, rule: BuiltinRule, view: RuleRequest, { logger }: RuleServices): Promise<boolean> {
  const { label, reference } = rule;
  const startedAt = exchange.now();
  const trace = (what: string, detail: Readonly<Record<string, unknown>> = {}): void =>
    exchange.trace.add("rules", what, { ...detail, rule: reference, us: Math.round((exchange.now() - startedAt) * 1000) });
  try {
    const pending = rule.rule.evaluate(view);
    // Most rules answer at once; awaiting them all the same would cost a turn of the loop each.
    const verdict = pending instanceof Promise ? await pending : pending;
    if (verdict !== true && (typeof verdict !== "string" || verdict === "")) {
      trace("no match");
      return false;
    }
    const given = verdict === true ? label : verdict;
    exchange.labelBy({ label: given, rule: reference });
    trace("matched", { label: given });
    return true;
  } catch (error) {
    trace("failed, taken as no match", { label });
    logger.error({ requestId: exchange.id, rule: reference, label, error }, "a rule failed and was taken as no match");
    return false;
  }
}

function ruleRequest(exchange: Exchange, services: RuleServices): RuleRequest {
  const { facts, headers, request } = exchange;
  return { facts, headers, body: request, tokens: services.counterFor(request) };
}
