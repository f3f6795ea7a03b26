/** `respond` and `deny` of a hook that sees a request: what they may hold, and the reply they become. */

import type { ErrorKind } from "../../sdk/errors.ts";
import { encodeMessage } from "../../sdk/hub/local-message.ts";
import { type Exchange, type Reply, replyOf } from "../exchange.ts";
import type { WireDecision } from "../sandbox/protocol.ts";
import { HookRefusal } from "./hook-refusal.ts";
import { RefusedResult } from "./refused-result.ts";
import { type LoadedUnit, unitName } from "./user-program.ts";

const maxMessageLength = 4000;
/** Of a reply made here; the models themselves do not say as much. */
const maxReplyLength = 1024 * 1024;
const maxBlocks = 1000;

/** @throws RefusedResult when the decision cannot be carried out */
export function checkDecision(unit: LoadedUnit, decision: WireDecision | undefined): void {
  if (decision === undefined) return;
  if (decision.kind === "deny") {
    const { status } = decision;
    if (!Number.isInteger(status) || status < 400 || status > 599)
      throw new RefusedResult(`deny wants a status of 400 to 599, not ${status}`);
    return;
  }
  const { reply } = decision;
  if (typeof reply !== "string" && reply.content.length > maxBlocks)
    throw new RefusedResult(`has ${reply.content.length} blocks; at most ${maxBlocks} are sent`, "content");
  const { length } = typeof reply === "string" ? reply : JSON.stringify(reply.content);
  if (length > maxReplyLength) throw new RefusedResult(`a reply of ${length} characters; at most ${maxReplyLength} are sent`);
  if (typeof reply === "string") return;
  const mayCallTools = unit.source.options.grants.some(({ type }) => type === "reply");
  for (const [index, block] of reply.content.entries()) {
    const type = typeOf(block);
    if (type === undefined)
      throw new RefusedResult('wants a "type" that is a text, and a "text" where that is its type', `content[${index}]`);
    if (!mayCallTools && type.endsWith("tool_use"))
      throw new RefusedResult('a tool call in a reply needs the grant "reply:tools"', `content[${index}]`);
  }
}

/** Undefined for what no client could read as a block. */
function typeOf(block: unknown): string | undefined {
  if (typeof block !== "object" || block === null || !("type" in block) || typeof block.type !== "string") return undefined;
  const isReadable = block.type !== "text" || ("text" in block && typeof block.text === "string");
  return isReadable ? block.type : undefined;
}

/** @throws HookRefusal of a `deny` */
export async function replyOfDecision(
  exchange: Exchange,
  services: { countTokens(exchange: Exchange): Promise<number> },
  unit: LoadedUnit,
  decision: WireDecision,
): Promise<Reply> {
  if (decision.kind === "deny") throw denial(unit, decision);
  const { ingress, operation } = exchange;
  const inputTokens = await services.countTokens(exchange);
  // Nobody will be asked, but whoever only counts wants a number.
  if (operation === "count_tokens") return replyOf(ingress.encodeTokenCount(inputTokens));
  const { model, stream } = exchange.facts;
  const { reply } = decision;
  const content = typeof reply === "string" ? [{ type: "text", text: reply }] : reply.content;
  const stop = typeof reply === "string" || reply.stop_reason === undefined ? {} : { stop_reason: reply.stop_reason };
  return replyOf(encodeMessage({ content, ...stop }, { model, stream, inputTokens }), "hub");
}

function denial(unit: LoadedUnit, { status, message }: Extract<WireDecision, { readonly kind: "deny" }>): HookRefusal {
  const text = message === "" ? `The hook ${unitName(unit)} refused the request.` : message.slice(0, maxMessageLength);
  // Asking again would be refused again.
  return new HookRefusal(text, { status, kind: kindOf(status), headers: { "x-should-retry": "false" } });
}

const kinds: ReadonlyMap<number, ErrorKind> = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [501, "not_supported"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

function kindOf(status: number): ErrorKind {
  return kinds.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error");
}
