/**
 * A session stays with the deployment, and the key, that answered it last: there its prompt is cached. It goes elsewhere
 * when that one is out of use, has failed for the request, is over its limits, or may not be asked; and then stays there.
 */

import type { Exchange } from "../exchange.ts";
import { isPassThrough } from "./deployment.ts";
import type { PlannedTarget } from "./leg.ts";

/** Of a session in a group; undefined where there is no session, or it is of no matter. */
export function affinityKey({ facts, snapshot }: Pick<Exchange, "facts" | "snapshot">, group: string): string | undefined {
  if (!snapshot.config.router.affinity.enabled) return undefined;
  const { session } = facts;
  // The session holds no blank.
  return session === undefined ? undefined : `${session} ${group}`;
}

/** Of a session that is to stay where it went; undefined where it has no choice. */
export function keyToBind(exchange: Exchange, { group, deployment }: PlannedTarget): string | undefined {
  const { leg } = exchange;
  if ((leg?.group === group && leg.deployments.length === 1) || isPassThrough(deployment)) return undefined;
  return affinityKey(exchange, group);
}
