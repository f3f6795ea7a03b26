/** Where a text that broke off is gone on with: on another deployment of the group, which is told what was said so far. */

import { ProxyError } from "../../sdk/errors.ts";
import { createMadeBody } from "../body/made-body.ts";
import type { Exchange, Reply } from "../exchange.ts";
import type { Chooser } from "../routing/choice.ts";
import { type EventSource, readEvents } from "../stream/event-source.ts";
import { prefills, withPrefill } from "../stream/prefill.ts";
import { resumableReply } from "../stream/resume.ts";
import { HubWatch } from "../translation/hub-watch.ts";
import { type AttemptResult, type AttemptServices, makeAttempt } from "./attempt.ts";
import { classifyInBand } from "./classify.ts";

export interface GoOnServices extends AttemptServices {
  readonly chooser: Chooser;
}

type Taken = Extract<AttemptResult, { readonly type: "reply" }>;

/** The reply that was taken; where the configuration says `stream_resume`, one that goes on when it breaks off. */
export function goingOn(exchange: Exchange, services: GoOnServices, taken: Taken): Reply {
  const { reply, credential } = taken;
  const isWanted = exchange.snapshot.config.router.streamResume && exchange.facts.stream && exchange.operation === "generate";
  if (!isWanted || credential === undefined || reply.status !== 200) return reply;
  return resumableReply(exchange, reply, { signal: exchange.signal, next: (prefix) => goOn(exchange, services, taken, prefix) });
}

async function goOn(exchange: Exchange, services: GoOnServices, taken: Taken, prefix: string): Promise<EventSource | undefined> {
  const { leg, target } = taken;
  await taken.fail(classifyInBand(new ProxyError("The answer broke off.", { status: 502, kind: "api_error" }), services.wallClock()));
  const request = withPrefill(exchange.request.json(), prefix);
  const deployments = prefix === "" ? leg.deployments : leg.deployments.filter(prefills);
  if (request === undefined || deployments.length === 0) return undefined;
  const { deploymentId } = target.deployment;
  const choice = await services.chooser.choose({ exchange, leg: { ...leg, deployments }, tried: new Map([[deploymentId, 1]]) });
  if (choice.type === "none" || choice.target.deployment.deploymentId === deploymentId) return undefined;
  exchange.trace.add("call", "going on elsewhere", { deployment: choice.target.deployment.deploymentId, characters: prefix.length });
  const result = await makeAttempt(exchange, services, {
    target: choice.target,
    leg,
    body: createMadeBody(request),
    reason: "resume",
    isRetry: false,
    holdMs: exchange.snapshot.config.router.holdMs,
    signal: exchange.signal,
  });
  if (result.type === "failed") return undefined;
  result.endWithExchange();
  return result.reply.events ?? readEvents(result.reply.body, new HubWatch());
}
