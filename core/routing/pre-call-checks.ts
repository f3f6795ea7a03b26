/** Leaves out deployments that cannot do what a request wants: `enable_pre_call_checks`, but for its limits of a minute. */

import { ProxyError } from "../../sdk/errors.ts";
import { overflowError } from "../../sdk/hub/upstream-errors.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import type { Exchange } from "../exchange.ts";
import { andThen } from "./awaitable.ts";
import type { Deployment } from "./deployment.ts";
import { type CountTokens, estimateTokens, holdsMedia, tokensOf } from "./estimate-tokens.ts";
import { holdsDocument } from "./holds-document.ts";

/** Why a deployment is not asked, by its id: for the trace. */
export type LeftOut = Map<string, string>;

export type Checked =
  | { readonly type: "left"; readonly deployments: readonly Deployment[] }
  | { readonly type: "none"; readonly error: ProxyError };

export interface CheckQuestion {
  readonly exchange: Exchange;
  readonly group: string;
  readonly count: CountTokens | undefined;
  /** Is added to. */
  readonly leftOut: LeftOut;
}

/** Abilities first: a window is too small only for what a model could read at all. */
export function checkDeployments(deployments: readonly Deployment[], question: CheckQuestion): Awaitable<Checked> {
  const { exchange, group, leftOut } = question;
  // Counting a prompt that is too long is what a client counts for.
  if (exchange.operation !== "generate") return { type: "left", deployments };
  let able = deployments;
  for (const ability of abilities) {
    const { fact, name } = ability;
    if (!able.some(({ modelFacts }) => modelFacts[fact] === false) || !ability.isWanted(exchange)) continue;
    for (const { deploymentId, modelFacts } of able) if (modelFacts[fact] === false) leftOut.set(deploymentId, `it cannot ${name}`);
    able = able.filter(({ modelFacts }) => modelFacts[fact] !== false);
    if (able.length === 0) return { type: "none", error: unable(group, name) };
  }
  return checkWindows(able, question);
}

interface Ability {
  readonly fact: "images" | "documents" | "tools";
  readonly name: string;
  isWanted(exchange: Exchange): boolean;
}

/** Only what is known to be missing counts. The cheaper questions first. */
const abilities: readonly Ability[] = [
  { fact: "tools", name: "use tools", isWanted: ({ facts }) => facts.toolNames.length > 0 },
  { fact: "images", name: "read images", isWanted: ({ facts }) => facts.hasImage },
  { fact: "documents", name: "read documents", isWanted: ({ request }) => holdsDocument(request) },
];

function unable(group: string, what: string): ProxyError {
  const message = `The request needs a model that can ${what}, and no deployment of "${group}" can. Ask for another model, or add a deployment that can.`;
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

function checkWindows(deployments: readonly Deployment[], { exchange, count, leftOut }: CheckQuestion): Awaitable<Checked> {
  const windows = deployments.flatMap(({ modelFacts: { contextWindow } }) => contextWindow ?? []);
  const estimate = estimateTokens(exchange);
  if (windows.every((window) => estimate < window * (1 - margin))) return { type: "left", deployments };
  const isNear = windows.some((window) => Math.abs(estimate - window) <= window * margin);
  return andThen(isNear || holdsMedia(exchange) ? tokensOf(exchange, count) : estimate, (tokens): Checked => {
    const isLarger = ({ modelFacts: { contextWindow } }: Deployment): boolean =>
      tokens !== undefined && contextWindow !== undefined && tokens > contextWindow;
    const [first] = deployments;
    if (tokens !== undefined && first !== undefined && deployments.every(isLarger))
      return { type: "none", error: overflowError({ tokens, maximum: Math.max(...windows) }, first) };
    const left = deployments.filter((deployment) => !isLarger(deployment));
    for (const { deploymentId, modelFacts } of deployments.filter(isLarger))
      leftOut.set(deploymentId, `${tokens} tokens are more than its ${modelFacts.contextWindow}`);
    return { type: "left", deployments: left };
  });
}

/** How far off an estimate may be: part of a window. */
const margin = 0.3;
