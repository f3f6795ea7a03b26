/** What a request of the bench looks like to rules and hooks. */

import type { RequestBody } from "../sdk/body.ts";
import type { CallContext } from "../core/sandbox/protocol.ts";
import { MessagesFacts } from "../sdk/hub/facts.ts";
import { requestHeaders } from "./bodies.ts";

const headerList = Object.entries(requestHeaders).filter(([name]) => name !== "x-api-key");
const headerReader = { get: (name: string): string | undefined => requestHeaders[name] };
let requests = 0;

export function readFacts(body: RequestBody): MessagesFacts {
  return new MessagesFacts(body, headerReader);
}

export function benchContext(facts: MessagesFacts): CallContext {
  const { model, stream, session, client, requestClass, agentId, agentType, thinking, effort, messageCount, bodyBytes } = facts;
  return {
    requestId: `req_${++requests}`,
    operation: "generate",
    facts: { model, stream, session, client, requestClass, agentId, agentType, thinking, effort, messageCount, bodyBytes },
    headers: headerList,
    now: Date.now(),
  };
}
