/** Gives the exchange its label: the first rule that matches wins. */

import type { Logger } from "../../sdk/log.ts";
import type { RuleRequest } from "../../sdk/rule.ts";
import type { Exchange } from "../exchange.ts";
import type { LoadedRule } from "../snapshot.ts";

/**
 * Rules are asked in order until one answers; a rule that throws is no match.
 *
 * @param request made only when there is a rule to ask
 */
export async function evaluateRules(
  exchange: Exchange,
  rules: readonly LoadedRule[],
  request: () => RuleRequest,
  logger: Logger,
): Promise<void> {
  if (rules.length === 0) return;
  const view = request();
  for (const { label, reference, rule } of rules) {
    try {
      const pending = rule.evaluate(view);
      // Most rules answer at once; awaiting them all the same would cost a turn of the loop each.
      const verdict = pending instanceof Promise ? await pending : pending;
      if (verdict === true || (typeof verdict === "string" && verdict !== "")) {
        exchange.label = verdict === true ? label : verdict;
        exchange.trace.add("rules", "matched", { label: exchange.label, rule: reference });
        return;
      }
    } catch (error) {
      exchange.trace.add("rules", "failed, taken as no match", { label, rule: reference });
      logger.error({ requestId: exchange.id, rule: reference, label, error }, "a rule failed and was taken as no match");
    }
  }
  exchange.trace.add("rules", "none matched", { asked: rules.length });
}
