/** Reads a request of `context.callModel` and checks it against the grants. */

import type { Json } from "../../sdk/body.ts";
import type { Grant } from "../config/types.ts";
import { CapabilityError } from "./capability-error.ts";
import type { NestedRequest } from "./nested-call.ts";

const defaultMaxTokens = 1024;
const known: ReadonlySet<string> = new Set(["model", "messages", "system", "max_tokens"]);

/**
 * Strict: an option that were silently dropped would be believed to be in effect.
 * @throws CapabilityError that says what is wrong with the request, or which grant is missing
 */
export function readCallModel(request: Json, grants: readonly Grant[]): NestedRequest {
  if (!isRecord(request)) throw new CapabilityError("callModel wants an object with model and messages");
  const fields = new Map(Object.entries(request));
  const unknown = [...fields.keys()].find((field) => !known.has(field));
  if (unknown !== undefined) {
    throw new CapabilityError(`callModel does not know ${JSON.stringify(unknown.slice(0, 50))}; it takes ${[...known].join(", ")}`);
  }
  const group = fields.get("model");
  if (typeof group !== "string" || group === "") throw new CapabilityError("callModel wants `model`, the name of a model group");
  if (!grants.some((grant) => grant.type === "callModel" && grant.group === group)) throw new CapabilityError(missingGrant(group, grants));
  const system = fields.get("system");
  if (system !== undefined && typeof system !== "string") throw new CapabilityError("callModel wants `system` as text");
  return { group, messages: readMessages(fields.get("messages")), system, maxTokens: readMaxTokens(fields.get("max_tokens")) };
}

function missingGrant(group: string, grants: readonly Grant[]): string {
  const groups = grants.flatMap((grant) => (grant.type === "callModel" ? [JSON.stringify(grant.group)] : []));
  const granted = groups.length === 0 ? "no group is" : `granted: ${groups.join(", ")}`;
  return `callModel of ${JSON.stringify(group.slice(0, 100))} needs the grant "callModel:GROUP" for it; ${granted}`;
}

function readMessages(messages: Json | undefined): readonly Json[] {
  if (!Array.isArray(messages) || messages.length === 0) throw new CapabilityError("callModel wants `messages`, a list with at least one");
  for (const [index, message] of messages.entries()) {
    const role = isRecord(message) ? new Map(Object.entries(message)).get("role") : undefined;
    if (role !== "user" && role !== "assistant") {
      throw new CapabilityError(`callModel wants messages[${index}] with a role of "user" or "assistant"`);
    }
  }
  return messages;
}

function readMaxTokens(value: Json | undefined): number {
  if (value === undefined) return defaultMaxTokens;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw new CapabilityError("callModel wants `max_tokens` as a whole number above 0");
  }
  return value;
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
