/** Asks a gateway what a case says, and puts what came of it into one line. */

import { setTimeout as delay } from "node:timers/promises";

import { ask, type Answer } from "../helpers/client.ts";
import { object } from "../helpers/wires/wire.ts";
import type { Case, Step } from "./case.ts";
import type { Call, ScriptedSuite } from "./upstreams.ts";

export interface Gateway {
  /** e.g. `http://127.0.0.1:4000`, without a trailing slash. */
  readonly url: string;
  /** Lets time pass. */
  wait(ms: number): Promise<void>;
}

export const waitReally = (ms: number): Promise<void> => delay(ms);

/**
 * Who was asked in which order, and what the caller got, step by step: `a b → 200; a → 500 server`.
 *
 * Names of deployments that are alike are given out anew in the order in which they were asked. An error has its status and its kind;
 * a stream that began and broke has `broken` and the kind.
 */
export async function outcomeOf(scripted: Case, gateway: Gateway, suite: ScriptedSuite): Promise<string> {
  const nameOf = namesByAppearance(scripted);
  const lines: string[] = [];
  let seen = 0;
  for (const step of scripted.steps) {
    if (step.afterMs !== undefined) await gateway.wait(step.afterMs);
    const answer = await ask(gateway.url, JSON.stringify(bodyOf(step)), {
      path: step.wire === "anthropic" ? "/v1/messages" : "/v1/chat/completions",
      headers: { authorization: "Bearer sk-nobody", ...step.headers },
    });
    const calls = suite.callsOf(scripted).slice(seen);
    seen += calls.length;
    const names = calls.map((call) => describeCall(call, nameOf, scripted));
    lines.push(`${names.length === 0 ? "nobody" : names.join(" ")} → ${describeAnswer(answer)}`);
  }
  return lines.join("; ");
}

function bodyOf({ model, wire, body }: Step): unknown {
  const messages = [{ role: "user", content: "Say who you are." }];
  return wire === "anthropic" ? { model, messages, max_tokens: 64, ...body } : { model, messages, ...body };
}

function describeCall({ deployment, model }: Call, nameOf: (id: string) => string, { showsModel }: Case): string {
  const name = nameOf(deployment);
  return showsModel === true ? `${name}(${model})` : name;
}

function namesByAppearance({ scripts = {}, isAnyOfAlike }: Case): (id: string) => string {
  const alike = Object.keys(scripts)
    .map((ids) => ids.split(" "))
    .filter((ids) => ids.length > 1);
  const given = new Map<string, string>();
  return (id) => {
    const set = alike.find((ids) => ids.includes(id));
    if (set === undefined) return id;
    if (isAnyOfAlike === true) return set.join("/");
    const known = given.get(id);
    if (known !== undefined) return known;
    const name = set[set.filter((other) => given.has(other)).length] ?? id;
    given.set(id, name);
    return name;
  };
}

function describeAnswer(answer: Answer): string {
  const { status, text, end } = answer;
  if (status >= 400) return `${status} ${kindOf(errorIn(text), status)}`;
  const failure = failureInStream(text);
  if (failure !== undefined) return `${status} broken ${kindOf(failure, 500)}`;
  return end === "clean" ? String(status) : `${status} broken`;
}

interface ToldError {
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/** @throws Error when it is not an error in any envelope a client knows */
function errorIn(text: string): ToldError {
  const { error } = object(JSON.parse(text), "error");
  const { type, code, message } = object(error, "error.error");
  return { type: String(type), code: String(code), message: String(message) };
}

function failureInStream(text: string): ToldError | undefined {
  const line = text.split("\n").find((one) => one.startsWith("data:") && /"error"\s*:/.test(one));
  return line === undefined ? undefined : errorIn(line.slice("data:".length));
}

/** What went wrong, in words that both sides' classes and types come down to. */
function kindOf({ type, code, message }: ToldError, status: number): string {
  // The class that was raised first stands last in what LiteLLM tells.
  const classes = [...message.matchAll(/litellm\.(\w+):/g)].map((match) => match[1] ?? "").toReversed();
  const known = kinds.find(([pattern]) => [...classes, type, code].some((name) => pattern.test(name)));
  return known?.[1] ?? kinds.find(([, , statuses]) => statuses.includes(status))?.[1] ?? (status >= 500 ? "server" : "unknown");
}

/** The first that fits; the special ones stand before those that include them. */
const kinds: readonly (readonly [pattern: RegExp, kind: string, statuses: readonly number[]])[] = [
  [/ContextWindowExceeded|context_length_exceeded/, "context-window", []],
  [/ContentPolicyViolation|content_policy_violation|content_filter/, "content-policy", []],
  [/RateLimit|rate_limit/, "rate-limit", [429]],
  [/Authentication|authentication|invalid_api_key/, "authentication", [401]],
  [/PermissionDenied|permission/, "permission", [403]],
  [/NotFound|not_found/, "not-found", [404]],
  [/Timeout|timeout/, "timeout", [408, 504]],
  [/UnprocessableEntity/, "bad-request", [400, 413, 422]],
];
