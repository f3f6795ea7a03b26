/** What a file in `rules/` or `hooks/` exports. */

import type { Context } from "./context.ts";
import type { ContentBlock, MessagesReply, MessagesRequest, ReplyEvent } from "./messages.ts";
import { readerOf, type ParamDefinition, type ReadParams } from "./params.ts";

/** True: the rule's label applies. A string: that label applies. Anything else: no match, the next rule is asked. */
export type Verdict = boolean | string | null | undefined | void;

export type RuleFunction<Params = unknown> = (
  request: MessagesRequest,
  params: Params,
  context: Context<Params>,
) => Verdict | Promise<Verdict>;

export interface RuleDefinition<Params = unknown> {
  /** What a match gives; a `name` in the configuration goes before it, the file's name after it. */
  readonly label?: string;
  /** One line for `ccproxy check` and `ccproxy status`. */
  readonly summary?: string;
  readonly params?: ParamDefinition<Params>;
  readonly evaluate: RuleFunction<Params>;
}

/** Ends the request with a reply made here instead of calling a model. */
export interface Respond {
  readonly kind: "respond";
  readonly reply: string | { readonly content: readonly ContentBlock[]; readonly stop_reason?: string };
}

/** Ends the request with an error. */
export interface Deny {
  readonly kind: "deny";
  readonly status: number;
  readonly message: string;
}

/** Nothing: what was changed in place counts. */
export type Decision = void | undefined | null | Respond | Deny;
type MaybePromise<Value> = Value | Promise<Value>;

/** What went wrong, in the words the caller would see. */
export interface CallError {
  readonly status: number;
  /** E.g. `overloaded_error`. */
  readonly type: string;
  readonly message: string;
  /** Whether the upstream said so, or the proxy. */
  readonly source: "upstream" | "proxy";
  /** A stream that has begun cannot be answered otherwise. */
  readonly midStream: boolean;
}

export interface Completion {
  readonly outcome: "completed" | "client-gone" | "upstream-failed" | "refused" | "stopped";
  readonly status: number;
  readonly usage: {
    readonly inputTokens: number | undefined;
    readonly outputTokens: number | undefined;
    readonly cacheReadTokens: number | undefined;
    readonly cacheWriteTokens: number | undefined;
  };
  /** From the prices in `model_info`; null when one that is needed is not known. */
  readonly costUsd: number | null;
  readonly firstByteMs: number | undefined;
  readonly totalMs: number;
  readonly attempts: number;
}

export interface HookDefinition<Params = unknown> {
  /** One line for `ccproxy check` and `ccproxy status`. */
  readonly summary?: string;
  readonly params?: ParamDefinition<Params>;
  /** The request is refused when this hook fails; otherwise it goes on without it. */
  readonly required?: boolean;
  /** Holds a streamed reply back until `postCall` has seen the whole of it. */
  readonly buffer?: boolean;
  /** The only event types `onEvent` is called for; the others cost nothing. */
  readonly events?: readonly ReplyEvent["type"][];
  /** Before routing: a change of `model` decides where the request goes. */
  preCall?(request: MessagesRequest, context: Context<Params>): MaybePromise<Decision>;
  /** After routing, once per attempt: `context.target` says where it goes, changes are for this attempt only. */
  preUpstream?(request: MessagesRequest, context: Context<Params>): MaybePromise<Decision>;
  /** Nothing or the event: it goes on, with what was changed. Null: it is dropped. A list: it takes the event's place. */
  onEvent?(event: ReplyEvent, context: Context<Params>): MaybePromise<ReplyEvent | readonly ReplyEvent[] | null | undefined | void>;
  /** The whole reply. One that was streamed has left already, so changes count only for others and with `buffer`. */
  postCall?(reply: MessagesReply, context: Context<Params>): MaybePromise<Decision>;
  onError?(error: CallError, context: Context<Params>): MaybePromise<Decision>;
  /** Always, at the very end; nothing waits for it. */
  onComplete?(completion: Completion, context: Context<Params>): MaybePromise<void>;
}

/** Tells the two kinds of definition apart from anything else a file may export. */
const definition: symbol = Symbol.for("ccproxy.definition");

/** A definition whose parameters are read by a function, however it was written. */
type Defined<Definition, Params> = Omit<Definition, "params"> & { readonly params?: ReadParams<Params> };

/**
 * Marks the default export of a file as a rule, and checks its type.
 *
 * @example
 * export default defineRule((request, params, context) => context.facts.hasImage && "vision");
 */
export function defineRule<Params = unknown>(rule: RuleFunction<Params> | RuleDefinition<Params>): Defined<RuleDefinition<Params>, Params> {
  return define("rule", typeof rule === "function" ? { evaluate: rule } : rule);
}

/**
 * Marks the default export of a file as a hook, and checks its type.
 *
 * @example
 * export default defineHook({
 *   preCall(request) {
 *     request.max_tokens = Math.min(request.max_tokens ?? 8192, 8192);
 *   },
 * });
 */
export function defineHook<Params = unknown>(hook: HookDefinition<Params>): Defined<HookDefinition<Params>, Params> {
  return define("hook", hook);
}

function define<Params, Definition extends { readonly params?: ParamDefinition<Params> }>(
  kind: "rule" | "hook",
  written: Definition,
): Defined<Definition, Params> {
  const { params, ...rest } = written;
  const read = readerOf(params);
  return Object.defineProperty({ ...rest, ...(read !== undefined && { params: read }) }, definition, { value: kind });
}

/** Return it to answer in place of a model: a text, or content blocks (tool calls need the grant `reply:tools`). */
export function respond(reply: Respond["reply"]): Respond {
  return { kind: "respond", reply };
}

/** Return it to refuse the request. @param status 400 to 599 */
export function deny(status: number, message: string): Deny {
  return { kind: "deny", status, message };
}
