/** What a deployment's answer is made of here: a mock, or a count of tokens its host cannot make. */

import { encodeText } from "../../sdk/hub/local-message.ts";
import { type Exchange, type Reply, replyOf } from "../exchange.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import { lacksOperation } from "../translation/encode-attempt.ts";

export interface LocalAnswerServices {
  countTokens(exchange: Exchange): Promise<number>;
}

/** @throws ProxyError 501 for anything but a count */
export async function countHere(exchange: Exchange, { deployment }: PlannedTarget, services: LocalAnswerServices): Promise<Reply> {
  if (exchange.operation !== "count_tokens") throw lacksOperation(exchange, deployment);
  return encodeCount(exchange, services, "counted here: the provider has no count_tokens");
}

export async function encodeCount(exchange: Exchange, services: LocalAnswerServices, why: string): Promise<Reply> {
  exchange.trace.add("call", why);
  return replyOf(exchange.ingress.encodeTokenCount(await services.countTokens(exchange)));
}

/** @throws ProxyError 501 for embeddings */
export async function mock(exchange: Exchange, { deployment, model }: PlannedTarget, services: LocalAnswerServices): Promise<Reply> {
  if (exchange.operation === "embeddings") throw lacksOperation(exchange, deployment);
  const inputTokens = await services.countTokens(exchange);
  exchange.trace.add("call", "mocked", { model, deployment: deployment.deploymentId });
  if (exchange.operation === "count_tokens") return replyOf(exchange.ingress.encodeTokenCount(inputTokens));
  const { mockResponse = "" } = deployment;
  return replyOf(encodeText(mockResponse, { model, stream: exchange.facts.stream, inputTokens }), "hub");
}
