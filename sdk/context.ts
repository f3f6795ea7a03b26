/** What a rule or a hook is told besides the request, and what it may do. */

import type { Json } from "./body.ts";
import type { Facts } from "./facts.ts";

export type HookPhase = "preCall" | "preUpstream" | "onEvent" | "postCall" | "onError" | "onComplete";

/** The facts as plain data: private copies, so a change of them goes nowhere. */
export type FactValues = Facts;

/** Where the request goes; there once the router has planned. */
export interface TargetInfo {
  readonly deployment: string;
  /** The model group, or the model itself when it passes through. */
  readonly group: string;
  /** The model id the upstream is asked for. */
  readonly model: string;
  readonly provider: string;
}

/** A small key/value store of JSON values. At most 64 KiB in all: what goes beyond throws. */
export interface Store {
  get(key: string): Json | undefined;
  set(key: string, value: Json): void;
  delete(key: string): void;
  keys(): string[];
}

/** Request headers. Credentials and cookies are not among them and cannot be set. */
export interface HeaderView {
  get(name: string): string | undefined;
  has(name: string): boolean;
  keys(): string[];
  /** Throws on a name that belongs to the connection, to a credential or to the proxy, and on control characters. */
  set(name: string, value: string): void;
  delete(name: string): void;
}

export interface FetchOptions {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: Json;
}

export interface FetchReply {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Readonly<Record<string, string>>;
  text(): string;
  json(): Json;
}

/** Kept on disk, for this file alone. Writes take effect together with the result of the call, or not at all. */
export interface KeyValue {
  get(key: string): Promise<Json | undefined>;
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
  /** Adds one line to the list under the key. */
  append(key: string, line: Json): Promise<void>;
  /** The last lines added, oldest first; at most 1,000. */
  lines(key: string, last?: number): Promise<Json[]>;
}

export interface CallModelRequest {
  /** A model group of the configuration that the grant names. */
  readonly model: string;
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: Json }[];
  readonly system?: string;
  /** 1,024 when not given. */
  readonly max_tokens?: number;
}

export interface CallModelReply {
  /** All text blocks, joined. */
  readonly text: string;
  readonly reply: Json;
}

export interface Context<Params = unknown> {
  readonly requestId: string;
  readonly phase: "rule" | HookPhase;
  /** `count_tokens` only counts: no model runs, no postCall follows. */
  readonly operation: "generate" | "count_tokens";
  /** From the configuration: a mapping as an object, a list as an array. */
  readonly params: Params;
  readonly facts: FactValues;
  readonly headers: HeaderView;
  /** The label given by the rules, once they have run and one matched. */
  readonly label: string | undefined;
  readonly target: TargetInfo | undefined;
  readonly session: string | undefined;
  /** Wall clock at the beginning of the call, ms since 1970. */
  readonly now: number;
  /** For this file and this session; kept in memory for as long as the session is in use. */
  readonly state: Store;
  /** For this file and this request, from the first phase to the last. */
  readonly locals: Store;
  /** Goes to the log with the file's name and the request's id; `console.log` does the same. */
  log(...values: unknown[]): void;
  /** Adds a field to the request's log line and trace. */
  annotate(key: string, value: Json): void;
  /** The same 16 hexadecimal digits for the same text on this installation, and no way back. */
  pseudonym(text: string): string;
  /** Aborted when the caller has left or the time is up. */
  readonly signal: AbortSignalView;
  /** What the configuration lets this file do. */
  readonly grants: Grants;
  /** Grant `env:NAME`: those variables, and no others. */
  readonly env: Readonly<Record<string, string>>;
  /** Grant `fetch:host`. */
  fetch(url: string, options?: FetchOptions): Promise<FetchReply>;
  /** Grant `callModel:group`. Hooks do not run for it. */
  callModel(request: CallModelRequest): Promise<CallModelReply>;
  /** Grant `kv`. */
  readonly kv: KeyValue;
}

export interface Grants {
  /** `fetch:host`, at least one. */
  readonly fetch: boolean;
  /** `callModel:group`, at least one. */
  readonly callModel: boolean;
  readonly kv: boolean;
  /** `reply:tools`: make or change tool calls in replies. */
  readonly replyTools: boolean;
}

export interface AbortSignalView {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
