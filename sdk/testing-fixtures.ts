/** Requests, replies and contexts to try rules and hooks on. */

import type { Json } from "./body.ts";
import type {
  CallModelReply,
  CallModelRequest,
  Context,
  FactValues,
  FetchOptions,
  FetchReply,
  Grants,
  HeaderView,
  Store,
  TargetInfo,
} from "./context.ts";
import type { MessagesReply, MessagesRequest } from "./messages.ts";

/**
 * A request of one user message; what is given takes the place of the rest.
 *
 * @example
 * makeRequest("Hello");
 * makeRequest({ model: "claude-opus-5-5", tools: [{ name: "Bash" }] });
 */
export function makeRequest(given: string | Partial<MessagesRequest> = {}): MessagesRequest {
  const fields = typeof given === "string" ? { messages: [{ role: "user" as const, content: given }] } : given;
  return { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: "Hello" }], ...fields };
}

/** A whole reply with this text, or with these fields. */
export function makeReply(given: string | Partial<MessagesReply> = {}): MessagesReply {
  const fields: Partial<MessagesReply> = typeof given === "string" ? { content: [{ type: "text", text: given }] } : given;
  return {
    id: "msg_test",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-5-5",
    content: [{ type: "text", text: "Hello" }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
    ...fields,
  };
}

export interface ContextOptions {
  readonly params?: unknown;
  /** As in the configuration, e.g. `["kv", "reply:tools"]`; the rest of the context throws, as it does there. */
  readonly grants?: readonly string[];
  readonly facts?: Partial<FactValues>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly target?: TargetInfo;
  readonly session?: string;
  /** ms since 1970 */
  readonly now?: number;
  readonly operation?: "generate" | "count_tokens";
  readonly env?: Readonly<Record<string, string>>;
  /** Answers `context.fetch`. */
  readonly fetch?: (url: string, options?: FetchOptions) => FetchReply | Promise<FetchReply>;
  /** Answers `context.callModel`. */
  readonly callModel?: (request: CallModelRequest) => CallModelReply | Promise<CallModelReply>;
}

/** A context that notes what is done with it. */
export interface TestContext<Params = unknown> extends Context<Params> {
  readonly annotations: Record<string, Json>;
  /** What went to `context.log`, one text a call. */
  readonly logs: string[];
  /** Values and lists of `context.kv`. */
  readonly stored: Record<string, Json>;
}

/**
 * A context for one request. Hand the same one to several runs to see what a hook keeps in `state` and `locals`.
 *
 * @example
 * const context = makeContext({ session: "s1", grants: ["kv"] });
 * await runHook(hook, "preCall", makeRequest("Hello"), { context });
 * expect(context.annotations).toEqual({ seen: 1 });
 */
export function makeContext(options: ContextOptions = {}): TestContext {
  const grants = grantsOf(options.grants ?? []);
  const annotations: Record<string, Json> = {};
  const logs: string[] = [];
  const stored: Record<string, Json> = {};
  const needs = (granted: boolean, name: string): void => {
    if (!granted) throw new Error(`context.${name.split(":")[0]} needs the grant ${name} in the configuration`);
  };
  return {
    requestId: "req_test",
    phase: "preCall",
    operation: options.operation ?? "generate",
    params: options.params ?? {},
    facts: { ...noFacts, session: options.session, ...options.facts },
    headers: headersOf(options.headers ?? {}),
    label: options.label,
    target: options.target,
    session: options.session,
    now: options.now ?? Date.UTC(2026, 0, 2, 3, 4, 5),
    state: makeStore(),
    locals: makeStore(),
    log: (...values) => void logs.push(values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(" ")),
    annotate: (key, value) => void (annotations[key] = value),
    pseudonym,
    signal: { aborted: false, reason: undefined, throwIfAborted: () => {}, addEventListener: () => {}, removeEventListener: () => {} },
    grants,
    env: options.env ?? {},
    fetch: async (url, fetchOptions) => {
      needs(grants.fetch, "fetch:host");
      if (options.fetch === undefined) throw new Error(`give makeContext a fetch that answers ${url}`);
      return await options.fetch(url, fetchOptions);
    },
    callModel: async (request) => {
      needs(grants.callModel, "callModel:group");
      if (options.callModel === undefined) throw new Error(`give makeContext a callModel that answers for ${request.model}`);
      return await options.callModel(request);
    },
    kv: {
      get: async (key) => (needs(grants.kv, "kv"), copy(stored[key])),
      set: async (key, value) => (needs(grants.kv, "kv"), void (stored[key] = copy(value))),
      delete: async (key) => (needs(grants.kv, "kv"), void delete stored[key]),
      append: async (key, line) => (needs(grants.kv, "kv"), void (stored[key] = [...linesOf(stored[key]), copy(line)])),
      lines: async (key, last = 1000) => (needs(grants.kv, "kv"), linesOf(stored[key]).slice(-last)),
    },
    annotations,
    logs,
    stored,
  };
}

/** Of a request of which nothing else is known. */
export const noFacts: FactValues = {
  model: "claude-sonnet-5-5",
  stream: false,
  session: undefined,
  client: "other",
  requestClass: "unknown",
  agentId: undefined,
  agentType: undefined,
  thinking: "none",
  effort: undefined,
  messageCount: 1,
  bodyBytes: 100,
  toolNames: [],
  toolTypes: [],
  usedToolNames: [],
  hasImage: false,
};

function grantsOf(names: readonly string[]): Grants {
  const known = /^(fetch:.+|env:.+|callModel:.+|kv|reply:tools)$/;
  const unknown = names.find((name) => !known.test(name));
  if (unknown !== undefined)
    throw new Error(`there is no grant "${unknown}"; wanted fetch:host, env:NAME, callModel:group, kv or reply:tools`);
  const has = (start: string): boolean => names.some((name) => name.startsWith(start));
  return { fetch: has("fetch:"), callModel: has("callModel:"), kv: has("kv"), replyTools: has("reply:tools") };
}

function headersOf(given: Readonly<Record<string, string>>): HeaderView {
  const values = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    get: (name) => values.get(name.toLowerCase()),
    has: (name) => values.has(name.toLowerCase()),
    keys: () => [...values.keys()],
    set: (name, value) => void values.set(name.toLowerCase(), value),
    delete: (name) => void values.delete(name.toLowerCase()),
  };
}

function makeStore(): Store {
  const values = new Map<string, Json>();
  return {
    get: (key) => copy(values.get(key)),
    set: (key, value) => void values.set(key, copy(value)),
    delete: (key) => void values.delete(key),
    keys: () => [...values.keys()],
  };
}

function copy<Value extends Json | undefined>(value: Value): Value {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}

function linesOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? [...value] : [];
}

/** Stands in for the real one, which nobody without the key of the installation can compute. */
function pseudonym(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
    hash ^= hash >> 29n;
  }
  return BigInt.asUintN(64, hash * 0x9e3779b97f4a7c15n)
    .toString(16)
    .padStart(16, "0");
}
