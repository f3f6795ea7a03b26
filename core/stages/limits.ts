/** Holds what a request may need of the limits of its caller, until its accounts say what it took. */

import type { Middleware } from "koa";

import type { Usage } from "../../sdk/dialect.ts";
import type { StoresConfig } from "../config/store-types.ts";
import type { Exchange } from "../exchange.ts";
import { pricedFor } from "../ledger/open-accounts.ts";
import type { Held, Limiter } from "../limits/hold.ts";
import { partiesOf } from "../limits/parties.ts";
import { refusalOf } from "../limits/refusal.ts";
import { guessInputTokens } from "../spend/estimate.ts";

export interface LimitServices {
  readonly limiter: Limiter;
  readonly wallClock: () => number;
  inBackground(work: Promise<unknown>): void;
}

/** @returns the middleware; it throws ProxyError 429, or 400 for a budget that is used up, where a request does not fit */
export function limit(services: LimitServices): Middleware {
  return async function limitStage(ctx, next) {
    const { exchange } = ctx.state;
    const { accounts } = exchange;
    if (accounts !== undefined) {
      const held = await hold(exchange, services);
      const { tokenLimitType } = exchange.snapshot.config.stores;
      exchange.standing = held.standing;
      accounts.onTaken(({ cost, usage, wasSent }) => {
        const ended = wasSent ? held.settle({ tokens: counted(usage, tokenLimitType), cost }) : held.release();
        // A server answers in the order in which it is asked: whatever this process holds next finds it done.
        if (ended !== undefined) services.inBackground(ended);
      });
    }
    await next();
  };
}

async function hold(exchange: Exchange, { limiter, wallClock }: LimitServices): Promise<Held> {
  const { caller, options, snapshot, leg, target } = exchange;
  const group = leg?.group ?? target?.group ?? "";
  const tags = [...new Set([...options.tags, ...(caller.holder?.key.tags ?? [])])];
  const parties = partiesOf({ holder: caller.holder, tags, config: snapshot.config, group });
  try {
    return await limiter.hold({
      id: exchange.id,
      parties,
      tokens: guessInputTokens(exchange.received.body.bytes.length),
      cost: target === undefined || parties.length === 0 ? null : pricedFor(exchange, target, target.model).estimate,
    });
  } catch (error) {
    throw refusalOf(error, exchange.ingress, wallClock()) ?? error;
  }
}

/** Of the kinds that count; undefined where nobody said. */
function counted(usage: Usage | undefined, type: StoresConfig["tokenLimitType"]): number | undefined {
  if (usage?.inputTokens === undefined && usage?.outputTokens === undefined) return undefined;
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const input = inputTokens + cacheReadTokens + cacheWriteTokens;
  if (type === "input") return input;
  return type === "output" ? outputTokens : input + outputTokens;
}
