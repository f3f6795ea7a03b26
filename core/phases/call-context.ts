/** What user code is told besides the request: facts as plain values, headers without credentials, where the request goes. */

import type { FactValues, TargetInfo } from "../../sdk/context.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import type { Facts } from "../../sdk/facts.ts";
import type { Exchange, PlannedTarget } from "../exchange.ts";
import type { CallContext } from "../sandbox/protocol.ts";

export interface CallContextInit {
  readonly target: PlannedTarget | undefined;
  readonly headers: HeaderList;
  /** ms since 1970 */
  readonly now: number;
}

export function createCallContext(exchange: Exchange, { target, headers, now }: CallContextInit): CallContext {
  return {
    requestId: exchange.id,
    operation: exchange.operation,
    facts: factValues(exchange.facts),
    headers: visibleHeaders(headers),
    ...(exchange.label === undefined ? {} : { label: exchange.label }),
    ...(target === undefined ? {} : { target: targetInfo(target) }),
    now,
  };
}

const known = new WeakMap<Facts, FactValues>();

/** Read once per body: facts that look into messages cost a walk over them. */
function factValues(facts: Facts): FactValues {
  let values = known.get(facts);
  if (values === undefined) {
    values = {
      model: facts.model,
      stream: facts.stream,
      session: facts.session,
      client: facts.client,
      requestClass: facts.requestClass,
      agentId: facts.agentId,
      agentType: facts.agentType,
      thinking: facts.thinking,
      effort: facts.effort,
      messageCount: facts.messageCount,
      bodyBytes: facts.bodyBytes,
      toolNames: facts.toolNames,
      toolTypes: facts.toolTypes,
      usedToolNames: facts.usedToolNames,
      hasImage: facts.hasImage,
    };
    known.set(facts, values);
  }
  return values;
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
