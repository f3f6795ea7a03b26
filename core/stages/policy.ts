/** Decides about a request: hooks, rules and router, in the order of the configuration. */

import type { Exchange, Reply } from "../exchange.ts";
import { runPreCall } from "../phases/request-hooks.ts";
import type { PhaseServices } from "../phases/phase-services.ts";
import type { LoadedRule, Snapshot } from "../snapshot.ts";
import { type RouterServices, planRoute } from "./router.ts";
import { type RuleServices, evaluateRules } from "./rules.ts";

export interface PolicyServices extends RuleServices, PhaseServices, RouterServices {
  /** The rules of a trusted project file, by its content hash; undefined when it is not trusted. */
  projectRules(hash: string, snapshot: Snapshot): Promise<readonly LoadedRule[] | undefined>;
  countTokens(exchange: Exchange): Promise<number>;
}

/**
 * @returns the reply of a hook that answers in place of a model; undefined when the request goes on to the plan
 * @throws ProxyError of the router, of a hook that denies, and of user code whose failure denies
 */
export async function decide(exchange: Exchange, services: PolicyServices): Promise<Reply | undefined> {
  const { snapshot, project, userProgram } = exchange;
  for (const step of snapshot.policy) {
    switch (step.type) {
      case "hooks": {
        const reply = userProgram === undefined ? undefined : await runPreCall(exchange, services, userProgram, step.hooks);
        if (reply !== undefined) return reply;
        break;
      }
      case "rules": {
        const own = project === undefined ? undefined : await services.projectRules(project, snapshot);
        // A project's rules stand behind the user's own.
        await evaluateRules(exchange, own === undefined ? snapshot.rules : [...snapshot.rules, ...own], services);
        break;
      }
      case "router":
        await planRoute(exchange, services);
    }
  }
  return undefined;
}
