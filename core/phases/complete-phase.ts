/** Tells `onComplete` how a request ended, whatever way it did; nothing waits for it. */

import type { Completion } from "../../sdk/define.ts";
import type { Exchange, Settlement } from "../exchange.ts";
import { costUsd } from "../spend/cost.ts";
import { runAfterwards } from "./afterwards.ts";
import { type ErrorServices, tellBrokenReply } from "./error-phase.ts";
import { runPhase } from "./run-phase.ts";

/** To be called before anything can refuse the request. */
export function completeWhenSettled(exchange: Exchange, services: ErrorServices): void {
  const { userProgram: program } = exchange;
  if (program === undefined) return;
  const hooks = program.hooks("onComplete");
  const isTold = program.hooks("onError").length > 0;
  if (hooks.length === 0 && !isTold) return;
  exchange.onSettled((settlement) => {
    if (isTold) tellBrokenReply(exchange, services, program, settlement);
    if (hooks.length === 0) return;
    runAfterwards(exchange, services, program, async (signal) => {
      const subject = JSON.stringify(completionOf(exchange, settlement));
      let units = hooks;
      while (units.length > 0) {
        ({ rest: units } = await runPhase(exchange, services, {
          program,
          phase: "onComplete",
          units,
          subject,
          signal,
          observesOnly: true,
        }));
      }
    });
  });
}

function completionOf(exchange: Exchange, settlement: Settlement): Completion {
  const { outcome, status, summary, firstByteMs, totalMs } = settlement;
  const usage = summary?.usage;
  return {
    outcome,
    status,
    usage: {
      inputTokens: usage?.inputTokens,
      outputTokens: usage?.outputTokens,
      cacheReadTokens: usage?.cacheReadTokens,
      cacheWriteTokens: usage?.cacheWriteTokens,
    },
    costUsd: costOf(exchange, settlement),
    firstByteMs,
    totalMs,
    attempts: exchange.attempts.length,
  };
}

function costOf({ target, attempts, operation }: Exchange, { summary }: Settlement): number | null {
  const last = attempts.at(-1);
  const deployment = last?.deployment ?? target?.deployment;
  const isMock = deployment?.mockResponse !== undefined;
  // Nobody was asked for an answer.
  if (operation === "count_tokens" || (attempts.length === 0 && !isMock)) return 0;
  const answered = last === undefined ? undefined : { providerName: last.deployment.providerName, model: last.model };
  return costUsd(summary?.usage, deployment?.info ?? {}, answered);
}
