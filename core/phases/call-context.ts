/** What user code is told besides the request: facts as plain values, headers without credentials, where the request goes. */

import type { TargetInfo } from "../../sdk/context.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import type { Facts } from "../../sdk/facts.ts";
import type { Exchange } from "../exchange.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import type { CallFacts, LateFact } from "../sandbox/late-facts.ts";
import type { CallContext } from "../sandbox/protocol.ts";

export interface CallContextInit {
  readonly target: PlannedTarget | undefined;
  readonly headers: HeaderList;
  /** ms since 1970 */
  readonly now: number;
  /** Whether late facts can be fetched, as where the request is seen; otherwise they are there at once. */
  readonly fetchesFacts: boolean;
}

export function createCallContext(exchange: Exchange, { target, headers, now, fetchesFacts }: CallContextInit): CallContext {
  return {
    requestId: exchange.id,
    // User code does not run for embeddings.
    operation: exchange.operation === "count_tokens" ? "count_tokens" : "generate",
    facts: fetchesFacts ? earlyFacts(exchange.facts) : { ...earlyFacts(exchange.facts), ...lateFactsOf(exchange.facts) },
    headers: visibleHeaders(headers),
    ...(exchange.label === undefined ? {} : { label: exchange.label }),
    ...(target === undefined ? {} : { target: targetInfo(target) }),
    now,
  };
}

const known = new WeakMap<Facts, CallFacts>();

function earlyFacts(facts: Facts): CallFacts {
  let values = known.get(facts);
  if (values === undefined) {
    const { model, stream, session, client, requestClass, agentId, agentType, thinking, effort, messageCount, bodyBytes } = facts;
    values = { model, stream, session, client, requestClass, agentId, agentType, thinking, effort, messageCount, bodyBytes };
    known.set(facts, values);
  }
  return values;
}

/** Facts keep what they have found, so asking again costs nothing. */
function lateFactsOf({ toolNames, toolTypes, usedToolNames, hasImage }: Facts): Pick<Facts, LateFact> {
  return { toolNames, toolTypes, usedToolNames, hasImage };
}

function targetInfo({ deployment, group, model }: PlannedTarget): TargetInfo {
  return { deployment: deployment.deploymentId, group, model, provider: deployment.providerName };
}

/** Names under which people send keys of gateways and proxies along, whatever the vendor. */
const secretName =
  /(?:^|[-_])(?:auth|authorization|bearer|token|secret|passw(?:or)?d|cookie|credentials?|jwt|assertion|signature|session-?key)(?:[-_]|$)|api[-_]?key|(?:access|account|functions?|gateway|master|private|subscription|virtual)[-_]key/;
/** What is a credential by its scheme or its look, whatever its name. */
const secretValue = /^(?:bearer|basic|digest|negotiate)\s|^(?:sk|pk|rk|xai|gsk)[-_]|^eyJ/i;

function visibleHeaders(headers: HeaderList): HeaderList {
  return headers.some(isSecret) ? headers.filter((header) => !isSecret(header)) : headers;
}

function isSecret([name, value]: HeaderList[number]): boolean {
  return secretName.test(name) || secretValue.test(value);
}
