/** What a reply tells of its way: headers of the proxy's own, and those that LiteLLM's clients know already. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { toUsd } from "../../sdk/money.ts";
import type { Exchange, Reply } from "../exchange.ts";
import { cacheOutcomeOf } from "../cache/outcome.ts";
import { version } from "../version.ts";

/** Tells the caller what became of its request, and every proxy on the way to keep its hands off a stream. */
export function withOwnHeaders(reply: Reply, exchange: Exchange): HeaderList {
  const own = [...budgetHeaders(exchange), ...ownHeaders(exchange)];
  const given = withoutVendorLimits(reply, exchange);
  if (reply.isEventStream) {
    const kept = given.filter(([name]) => name !== "cache-control" && name !== "x-accel-buffering");
    return [...kept, ["cache-control", "no-cache, no-transform"], ["x-accel-buffering", "no"], ...own];
  }
  return [...given, ...own];
}

/** Of the vendor's limits, which are those of whoever runs this proxy, callers with a virtual key hear nothing. */
const vendorLimits = "anthropic-ratelimit-";

/** What the caller's own protocol has for telling that a budget is nearly used up. */
function budgetHeaders({ standing, ingress }: Exchange): HeaderList {
  return standing === undefined ? [] : (ingress.budgetNotices?.(standing, Date.now()) ?? []);
}

function withoutVendorLimits({ headers }: Reply, { caller }: Exchange): HeaderList {
  const isOwn = caller.kind !== "key" || caller.credentials.length > 0;
  return isOwn ? headers : headers.filter(([name]) => !name.startsWith(vendorLimits));
}

function ownHeaders(exchange: Exchange): HeaderList {
  const { id, target, label, attempts, retries, fallbacks, leg } = exchange;
  const own: [string, string][] = [
    ["x-ccproxy-request-id", id],
    ["x-litellm-call-id", id],
    ["x-litellm-version", version],
  ];
  const cached = cacheOutcomeOf(exchange);
  if (cached !== undefined)
    own.push(
      ["x-litellm-cache-key", cached.key],
      ["x-litellm-cache-hit", String(cached.type !== "miss")],
      ["x-ccproxy-cache", cached.type],
    );
  if (target === undefined) return own;
  const { deployment, group, model } = target;
  own.push(
    ["x-ccproxy-label", headerText(label ?? "default")],
    ["x-ccproxy-model", headerText(model)],
    ["x-ccproxy-deployment", headerText(deployment.deploymentId)],
    ["x-ccproxy-attempts", String(attempts.length)],
    ["x-litellm-model-id", headerText(deployment.deploymentId)],
    ["x-litellm-model-group", headerText(leg?.group ?? group)],
    ["x-litellm-attempted-retries", String(retries)],
    ["x-litellm-attempted-fallbacks", String(fallbacks)],
    ["x-litellm-response-duration-ms", String(Math.round(exchange.now() - exchange.receivedAt))],
  );
  const cost = exchange.accounts?.finalCost;
  if (cost !== undefined && cost !== null) own.push(["x-litellm-response-cost", String(toUsd(cost))]);
  if (deployment.apiBase !== "") own.push(["x-litellm-model-api-base", headerText(deployment.apiBase)]);
  if (leg !== undefined && group !== leg.group) own.push(["x-ccproxy-fallback", headerText(group)]);
  return own;
}

/** Names come from a configuration and may hold anything; a header may not. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}
