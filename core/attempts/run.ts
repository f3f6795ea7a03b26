/** Asks until somebody answers: the group the router planned, its fallbacks, and theirs. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Exchange, Reply } from "../exchange.ts";
import type { Leg } from "../routing/leg.ts";
import { resolveLeg } from "../routing/resolve-leg.ts";
import { ByteQueue } from "../upstream/byte-queue.ts";
import { UpstreamRefusal } from "../translation/upstream-error.ts";
import type { Failure, FailureClass } from "./failure.ts";
import { fallbackKey, fallbacksFor } from "./fallbacks.ts";
import { goingOn } from "./go-on.ts";
import { mockFailure } from "./mock-failure.ts";
import { shouldTellNotToRetry } from "./next-step.ts";
import { type Journey, type LegOptions, type LegResult, type LegServices, tryLeg } from "./try-leg.ts";

export type CallServices = LegServices;

/**
 * @throws ProxyError when no upstream answered, or one refused in another dialect than the caller's; an upstream's own
 * error in the caller's dialect is a reply like any other
 */
export async function callUpstream(exchange: Exchange, services: CallServices): Promise<Reply> {
  const { leg } = exchange;
  if (leg === undefined) throw new Error("the router left no plan");
  const journey: Journey = { failedOrigins: new Set(), visited: new Set(), budgetSpent: false };
  const result = await follow(exchange, services, { leg, depth: 0, journey, hasMore: false });
  if (result.type === "failed") return tell(exchange, result.failure, journey);
  await result.commit();
  const reply = goingOn(exchange, services, result);
  exchange.reported = reply.reported;
  if (isSettled(exchange, reply)) exchange.letGoOfRequest();
  return reply;
}

/** Whether nobody will look at the request again: its reply flows by as it is, and there are no hooks to be told of it. */
function isSettled({ ingress, userProgram, snapshot }: Exchange, { body, events }: Reply): boolean {
  const flowsBy = body instanceof ByteQueue && events === undefined && ingress.translation === undefined;
  return flowsBy && userProgram === undefined && !snapshot.config.record;
}

/** A stretch of the way, and what lies behind it. */
interface Way {
  readonly leg: Leg;
  /** How many groups lie before it. */
  readonly depth: number;
  readonly journey: Journey;
  /** Whether another group can be asked when this one and its own fallbacks have failed. */
  readonly hasMore: boolean;
}

type Ended = Exclude<LegResult, { readonly type: "passed over" }>;

/** @returns what came of the group itself, where none of its fallbacks helped: that is what the caller asked for */
async function follow(exchange: Exchange, services: CallServices, way: Way): Promise<Ended> {
  const { leg, depth, journey } = way;
  for (const name of [leg.name, leg.group]) journey.visited.add(fallbackKey({ name, overrides: leg.overrides }));
  const hasFallbacks = withTables.some((type) => fallbacksOf(exchange, way, type).length > 0);
  const options = { leg, journey, isFallback: depth > 0, hasMore: way.hasMore || hasFallbacks };
  const result = await tryOrMock(exchange, services, { ...options, mayPassOver: hasFallbacks }, depth);
  if (result.type === "reply") return result;
  const other = await askFallbacks(exchange, services, way, result.type === "failed" ? result.failure : undefined);
  if (other !== undefined) return other;
  if (result.type === "failed") return result;
  const late = await tryLeg(exchange, services, { ...options, hasMore: way.hasMore, mayPassOver: false });
  if (late.type === "passed over") throw new Error("a group was passed over that may not be");
  return late;
}

/** Whoever tries out a configuration may ask for a failure of the group that is asked first. */
function tryOrMock(exchange: Exchange, services: CallServices, options: LegOptions, depth: number): Promise<LegResult> {
  const { mock } = exchange.options;
  if (mock === undefined || depth > 0) return tryLeg(exchange, services, options);
  exchange.trace.add("call", "failed as asked for", { class: mock });
  return Promise.resolve({ type: "failed", failure: mockFailure(mock) });
}

/** @param failure undefined: the group was not asked, for all of it is out of use */
async function askFallbacks(
  exchange: Exchange,
  services: CallServices,
  way: Way,
  failure: Failure | undefined,
): Promise<Ended | undefined> {
  const { leg, depth, journey } = way;
  const legs = fallbacksOf(exchange, way, failure?.class ?? "server");
  for (const [index, next] of legs.entries()) {
    if (journey.visited.has(fallbackKey(next))) continue;
    exchange.fallbacks++;
    exchange.trace.add("call", "another group", { from: leg.group, to: next.group, because: failure?.class ?? "all out of use" });
    const hasMore = way.hasMore || index + 1 < legs.length || failure === undefined;
    const other = await follow(exchange, services, { leg: next, depth: depth + 1, journey, hasMore });
    if (other.type === "reply") return other;
  }
  return undefined;
}

/** Classes of failures that have a table of their own, and one that stands for all others. */
const withTables = ["server", "context-window", "content-policy"] as const;

/** Those that are none were told of when the configuration was read. */
function fallbacksOf(exchange: Exchange, { leg, depth, journey }: Way, type: FailureClass): readonly Leg[] {
  const { config, routes } = exchange.snapshot;
  const targets = fallbacksFor(
    { class: type },
    {
      name: leg.name,
      group: leg.group,
      config: config.router.fallbacks,
      options: exchange.options,
      attempted: journey.visited,
      depth,
    },
  );
  return targets.flatMap((target) => {
    const resolved = resolveLeg(routes, target);
    return resolved.type === "leg" ? [resolved.leg] : [];
  });
}

/** @throws ProxyError where the upstream's own words cannot be handed on as they are */
function tell(exchange: Exchange, failure: Failure, { budgetSpent }: Journey): Reply {
  const { told } = failure;
  const isFinal = shouldTellNotToRetry({
    failure,
    retries: exchange.retries,
    budgetSpent,
    isPassThrough: exchange.leg?.by === "pass-through",
  });
  if (told.type === "reply") {
    const { reply } = told;
    return isFinal ? { ...reply, headers: [...reply.headers.filter(([name]) => name !== noRetry[0]), noRetry] } : reply;
  }
  throw isFinal ? withHeader(told.error, noRetry) : told.error;
}

/** Whoever asks through another gateway would repeat what has been repeated here. */
const noRetry = ["x-should-retry", "false"] as const;

function withHeader(error: ProxyError, [name, value]: readonly [string, string]): ProxyError {
  const { message, status, kind, headers, cause } = error;
  const options = { status, kind, headers: { ...headers, [name]: value }, cause };
  return error instanceof UpstreamRefusal ? new UpstreamRefusal(message, options) : new ProxyError(message, options);
}
