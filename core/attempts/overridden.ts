/** The request with some of its fields replaced, as fallbacks may ask for. */

import type { Json, RequestBody } from "../../sdk/body.ts";
import { createMadeBody } from "../body/made-body.ts";
import type { Exchange } from "../exchange.ts";

/**
 * @param overrides fields of the caller's own dialect; `model` is the router's
 * @returns a request of the hub; undefined where nothing is replaced
 * @throws ProxyError 400 when what comes of it is no request
 */
export function overriddenRequest(exchange: Exchange, overrides: Readonly<Record<string, Json>>): RequestBody | undefined {
  const changes = Object.entries(overrides).filter(([field]) => field !== "model");
  if (changes.length === 0) return undefined;
  const edits = changes.map(([field, value]) => ({ field, value }));
  const { translation } = exchange.ingress;
  if (translation === undefined || exchange.isEdited || exchange.operation === "embeddings") return exchange.request.edit(edits);
  const received = { ...exchange.received, body: exchange.received.body.edit(edits) };
  return createMadeBody(translation.decode(received, exchange.note("call")));
}
