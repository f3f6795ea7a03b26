/** Runs a rule or one phase of a hook on plain values, with parameters checked as the proxy checks them. */

import type { Context, HookPhase } from "./context.ts";
import type { CallError, Completion, Decision, HookDefinition, RuleDefinition, RuleFunction, Verdict } from "./define.ts";
import type { MessagesReply, MessagesRequest, ReplyEvent } from "./messages.ts";
import { readerOf, type ParamDefinition } from "./params.ts";
import { eventsOf } from "./testing-events.ts";
import { makeContext, type ContextOptions, type TestContext } from "./testing-fixtures.ts";

export interface RunOptions extends ContextOptions {
  /** Of an earlier run, or made with `makeContext`; the other options are not looked at then, but for `params`. */
  readonly context?: TestContext;
}

/**
 * Asks a rule. What it may change in the request stays in a copy.
 *
 * @returns what it answered
 * @example
 * expect(await runRule(rule, makeRequest("please deploy"), { words: ["deploy"] })).toBe(true);
 */
export async function runRule<Params>(
  rule: RuleDefinition<Params> | RuleFunction<Params>,
  request: MessagesRequest,
  params: unknown = {},
  options: RunOptions = {},
): Promise<Verdict> {
  const definition = typeof rule === "function" ? { evaluate: rule } : rule;
  const context = contextFor(definition.params, "rule", { ...options, params });
  return await definition.evaluate(clone(request), context.params, context);
}

/** What `runHook` tells, besides the subject as it was left. */
interface HookRun {
  readonly decision: Decision;
  /** Annotations, logs and stores are read here. */
  readonly context: TestContext;
}

/**
 * Runs one phase of a hook on a copy of the subject.
 *
 * @param subject a request, a reply, an error, a completion; for `onEvent` a list of events, or a reply to be told in events
 * @example
 * const { request } = await runHook(hook, "preCall", makeRequest("Hello"), { params: { max: 10 } });
 * expect(request.max_tokens).toBe(10);
 */
export function runHook<Params>(
  hook: HookDefinition<Params>,
  phase: "preCall" | "preUpstream",
  subject: MessagesRequest,
  options?: RunOptions,
): Promise<HookRun & { readonly request: MessagesRequest }>;
export function runHook<Params>(
  hook: HookDefinition<Params>,
  phase: "onEvent",
  subject: MessagesReply | readonly ReplyEvent[],
  options?: RunOptions,
): Promise<HookRun & { readonly events: ReplyEvent[] }>;
export function runHook<Params>(
  hook: HookDefinition<Params>,
  phase: "postCall",
  subject: MessagesReply,
  options?: RunOptions,
): Promise<HookRun & { readonly reply: MessagesReply }>;
export function runHook<Params>(hook: HookDefinition<Params>, phase: "onError", subject: CallError, options?: RunOptions): Promise<HookRun>;
export function runHook<Params>(
  hook: HookDefinition<Params>,
  phase: "onComplete",
  subject: Completion,
  options?: RunOptions,
): Promise<HookRun>;
export async function runHook<Params>(
  hook: HookDefinition<Params>,
  phase: HookPhase,
  subject: unknown,
  options: RunOptions = {},
): Promise<HookRun & { readonly request?: unknown; readonly reply?: unknown; readonly events?: unknown }> {
  const context = contextFor(hook.params, phase, options);
  if (hook[phase] === undefined) throw new Error(`the hook has no ${phase}`);
  const value = clone(subject);
  if (phase === "onEvent") {
    const events: readonly ReplyEvent[] = Array.isArray(value) ? value : eventsOf(value);
    return { decision: undefined, context, events: await passEvents(hook, events, context) };
  }
  const decision = (await hook[phase](value, context)) ?? undefined;
  if (phase === "preCall" || phase === "preUpstream") return { decision, context, request: value };
  return phase === "postCall" ? { decision, context, reply: value } : { decision, context };
}

async function passEvents<Params>(
  hook: HookDefinition<Params>,
  events: readonly ReplyEvent[],
  context: Context<Params>,
): Promise<ReplyEvent[]> {
  const passed: ReplyEvent[] = [];
  for (const event of events) {
    if (hook.events !== undefined && !hook.events.includes(event.type)) {
      passed.push(event);
      continue;
    }
    const result = await hook.onEvent?.(event, context);
    if (result === null) continue;
    if (result === undefined) passed.push(event);
    else passed.push(...("type" in result ? [result] : result));
  }
  return passed;
}

function contextFor<Params>(
  params: ParamDefinition<Params> | undefined,
  phase: Context["phase"],
  options: RunOptions,
): TestContext<Params> {
  const base = options.context ?? makeContext(options);
  const raw = options.params ?? base.params;
  const read = readerOf(params);
  return { ...base, phase, params: (read === undefined ? raw : read(raw)) as Params };
}

/** The type of the caller's subject, which the overloads have checked. */
function clone(value: unknown): never {
  return JSON.parse(JSON.stringify(value)) as never;
}
