/** Leaves out deployments that cannot do what a request wants: `enable_pre_call_checks`, and what of it costs a look at the request. */

import { ProxyError } from "../../sdk/errors.ts";
import { overflowError } from "../../sdk/hub/upstream-errors.ts";
import { type Awaitable } from "../../sdk/routing-store.ts";
import type { Exchange } from "../exchange.ts";
import { andThen } from "./awaitable.ts";
import type { Deployment } from "./deployment.ts";
import { holdsDocument } from "./holds-document.ts";

/** Counts the tokens of a request, as exactly as can be. */
export type CountTokens = (exchange: Exchange) => Awaitable<number>;

export type Checked =
  | { readonly type: "left"; readonly deployments: readonly Deployment[] }
  | { readonly type: "none"; readonly error: ProxyError };

/** Roughly, from the size of the request. */
export function estimateTokens({ facts }: Exchange): number {
  return Math.ceil(facts.bodyBytes / 4);
}

/** Abilities first: a window is only too small for what a model can read at all. */
export function checkDeployments(
  exchange: Exchange,
  group: string,
  deployments: readonly Deployment[],
  count: CountTokens,
): Awaitable<Checked> {
  // Nothing else has messages.
  if (exchange.operation === "embeddings") return { type: "left", deployments };
  let able = deployments;
  for (const ability of abilities) {
    if (!able.some((deployment) => deployment.modelFacts[ability.fact] === false) || !ability.isWanted(exchange)) continue;
    able = able.filter((deployment) => deployment.modelFacts[ability.fact] !== false);
    if (able.length === 0) return { type: "none", error: unable(group, ability.name) };
  }
  return checkWindows(exchange, able, count);
}

interface Ability {
  readonly fact: "images" | "documents" | "tools";
  readonly name: string;
  isWanted(exchange: Exchange): boolean;
}

/** Only what is known to be missing counts. The cheap question first. */
const abilities: readonly Ability[] = [
  { fact: "tools", name: "use tools", isWanted: ({ facts }) => facts.toolNames.length > 0 },
  { fact: "images", name: "read images", isWanted: ({ facts }) => facts.hasImage },
  { fact: "documents", name: "read documents", isWanted: ({ request }) => holdsDocument(request) },
];

function unable(group: string, what: string): ProxyError {
  const message = `The request needs a model that can ${what}, and no deployment of "${group}" can. Ask another model, or set model_info of one that can.`;
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

function checkWindows(exchange: Exchange, deployments: readonly Deployment[], count: CountTokens): Awaitable<Checked> {
  const windows = deployments.flatMap(({ modelFacts: { contextWindow } }) => contextWindow ?? []);
  // Well below the smallest: nothing has to be counted.
  if (windows.length === 0 || estimateTokens(exchange) < Math.min(...windows) * nearby) return { type: "left", deployments };
  return andThen(count(exchange), (tokens) => {
    const left = deployments.filter(({ modelFacts: { contextWindow } }) => contextWindow === undefined || tokens <= contextWindow);
    const [first] = deployments;
    if (left.length > 0 || first === undefined) return { type: "left", deployments: left };
    return { type: "none", error: overflowError({ tokens, maximum: Math.max(...windows) }, first) };
  });
}

/** How far off an estimate may be: part of a window. */
const nearby = 0.7;
