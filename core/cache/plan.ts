/** Whether the reply to a request may come from the cache, or go into it, and under which key. */

import { ProxyError } from "../../sdk/errors.ts";
import type { RequestBody } from "../../sdk/body.ts";
import type { CacheConfig } from "../config/store-types.ts";
import type { Exchange } from "../exchange.ts";
import type { Leg } from "../routing/leg.ts";
import { noCacheControls } from "./controls.ts";
import { cacheKey } from "./key.ts";
import { tenantOf } from "./tenant.ts";

/** What a client reads: events, one object, or another shape of stream that only its own dialect has. */
export type ReplyForm = "events" | "whole" | "other";

/** Read before the call: then the request is let go of. */
export interface CachePlan {
  readonly key: string;
  readonly ttlMs: number;
  readonly maxAgeMs: number | undefined;
  /** Not answered from the cache. */
  readonly isFresh: boolean;
  /** The reply is not kept. */
  readonly isNotKept: boolean;
  readonly form: ReplyForm;
  readonly streamOptions: string;
  /** Longest reply that is kept. */
  readonly maxBytes: number;
}

const longestReply = 4 * 1024 * 1024;
/** One reply is not to push out all others. */
const mostOfCache = 16;

/** @param keyId of the caller's virtual key @returns undefined where the cache has nothing to do with it */
export function planCaching(exchange: Exchange, config: CacheConfig, keyId: string | undefined): CachePlan | undefined {
  const { operation, leg, options } = exchange;
  const { cache: controls = noCacheControls } = options;
  const isConfigured = operation !== "count_tokens" && config.operations.includes(operation);
  if (!isConfigured || leg === undefined || options.mock !== undefined || !(controls.isWanted ?? config.isDefaultOn)) return undefined;
  try {
    const body = bodyAsMeant(exchange);
    if (hasTools(body) && !config.withTools && controls.isWanted !== true) return undefined;
    // It is asked for again and again until it is there.
    if (body.value("background") === true) return undefined;
    const streamOptions = body.field("stream_options");
    return {
      key: cacheKey({
        tenant: tenantOf(exchange.caller, keyId, config.isShared),
        namespace: controls.namespace ?? config.namespace,
        dialect: exchange.isEdited ? `${exchange.dialect} edited` : exchange.dialect,
        operation,
        group: describeRoute(exchange, leg),
        body,
        headers: exchange.headers,
      }),
      ttlMs: controls.ttlMs ?? config.ttlMs,
      maxAgeMs: controls.maxAgeMs,
      isFresh: controls.isFresh,
      isNotKept: controls.isNotKept,
      form: formOf(exchange),
      streamOptions: streamOptions === undefined ? "" : Buffer.from(body.slice(streamOptions)).toString("utf8"),
      maxBytes: Math.min(longestReply, Math.floor(config.maxBytes / mostOfCache)),
    };
  } catch (error) {
    // What is no request is refused by whoever has to read it.
    if (error instanceof ProxyError) return undefined;
    throw error;
  }
}

/** In the client's own dialect, as long as nobody changed it. */
function bodyAsMeant(exchange: Exchange): RequestBody {
  return exchange.ingress.translation === undefined || exchange.isEdited ? exchange.request : exchange.received.body;
}

function hasTools(body: RequestBody): boolean {
  return ["tools", "functions", "mcp_servers"].some((name) => {
    const span = body.field(name);
    return span !== undefined && body.elements(span).length > 0;
  });
}

/** Who may answer: the same words to others are another request, and so they are when the configuration names others. */
function describeRoute({ facts, search, options, isEdited, userProgram }: Exchange, { name, group, overrides, deployments }: Leg): string {
  const { tags, fallbacks, fallbackTables, disableFallbacks } = options;
  const parameters = new URLSearchParams(search);
  // They say how it is sent, and who asks.
  for (const parameter of ["alt", "key"]) parameters.delete(parameter);
  const route = {
    name,
    group,
    model: facts.model,
    overrides,
    deployments: deployments.map(({ deploymentId, model }) => [deploymentId, model]),
    search: isEdited ? "" : parameters.toString(),
    // They see the hub's words, which a reply that passed by as it was is not told in.
    isHooked: userProgram !== undefined,
    controls: [tags.toSorted(), fallbacks, fallbackTables, disableFallbacks],
  };
  return JSON.stringify(route, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}

function formOf({ facts, ingress, received, head, id, operation }: Exchange): ReplyForm {
  if (operation !== "generate" || !facts.stream) return "whole";
  const type = ingress.translation?.stream({ received, head, id }).contentType ?? "text/event-stream";
  return type.startsWith("text/event-stream") ? "events" : "other";
}
