/** A dialect: one protocol, as the client's side (ingress) and as the provider's side (wire). Pure: core does the I/O. */

import type { RequestBody } from "./body.ts";
import type { BudgetStanding } from "./budget-standing.ts";
import type { ErrorKind, ProxyError } from "./errors.ts";
import type { JsonObject } from "./events.ts";
import type { HeaderReader } from "./facts.ts";
import type { Note, Wire } from "./wire.ts";

/** Header names are lower case. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface Usage {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly cacheWriteTokens: number | undefined;
  /** Among those written to a cache: to one that keeps them for an hour. */
  readonly cacheWrite1hTokens?: number | undefined;
  /** Among the output: thoughts. */
  readonly reasoningTokens?: number | undefined;
  /** Searches and the like that the provider made. */
  readonly serverToolUses?: number | undefined;
  /** How it was served, as the upstream says: `batch`, `flex` and `priority` have prices of their own. */
  readonly serviceTier?: string | undefined;
}

/** `generate` runs a model; `count_tokens` only counts; `embeddings` passes as it is to providers that have it. */
export type Operation = "generate" | "count_tokens" | "embeddings";

export interface IngressRoute {
  readonly method: "POST";
  /** koa-router path, e.g. `/v1/messages`. */
  readonly path: string | RegExp;
  readonly operation: Operation;
}

/** A whole reply made by the proxy itself. */
export interface LocalReply {
  readonly status: number;
  readonly headers: HeaderList;
  /** One chunk for a plain reply, one per event for a stream. */
  readonly chunks: readonly Uint8Array[];
}

/** Watches the bytes of one reply go by; costs next to nothing per chunk. */
export interface ReplyWatch {
  push(chunk: Uint8Array): void;
  /** Whether the bytes so far end between two complete events, so that another may be inserted. */
  betweenEvents(): boolean;
  /** Whether what was pushed last holds the protocol's own end: everything was said. Absent where that is known only when a reply ends. */
  isOver?(): boolean;
  /** Call once, after the last byte. */
  end(): ReplySummary;
}

export interface ReplySummary {
  /** Whether the protocol's own end was seen (a stream cut short is not complete). */
  readonly complete: boolean;
  /** The type of an in-band error event, when the stream carried one. */
  readonly error: string | undefined;
  /** What it says. */
  readonly errorMessage?: string | undefined;
  readonly usage: Usage | undefined;
}

/** One line of a model list. */
export interface ListedModel {
  readonly id: string;
  readonly displayName: string;
}

/** The client protocol's own list of models. */
export interface ModelList {
  /** Whether this caller expects the list in this shape. */
  accepts(headers: HeaderReader): boolean;
  /** Under which id a client of this dialect can pick a model group, where it would ignore the group's own name. */
  publicId(group: string): string;
  encode(models: readonly ListedModel[]): LocalReply;
}

/** A request as it came. */
export interface Received {
  readonly operation: Operation;
  readonly body: RequestBody;
  /** As on the wire, without the query. */
  readonly path: string;
  readonly search: string;
  readonly headers: HeaderReader;
}

/** What is to be known before anything is translated. Cheap. */
export interface RequestHead {
  /** As sent; empty when absent. */
  readonly model: string;
  readonly stream: boolean;
  /** Id of the client's session, where it sends one. */
  readonly session: string | undefined;
}

/** What a reply is encoded for. */
export interface ReplyOptions {
  /** The request it answers. */
  readonly received: Received;
  readonly head: RequestHead;
  /** Of the exchange; dialects make ids of replies from it. */
  readonly id: string;
}

/** Bytes of the client's stream out of events of the hub: exactly one end, whatever comes. */
export interface StreamEncoder {
  /** Default `text/event-stream`. */
  readonly contentType?: string;
  /** Text of the wire's events for this event of the hub; often empty, never half an event. */
  push(event: JsonObject): string;
  /** The end of a stream that can no longer be completed; empty after an end. */
  fail(error: ProxyError): string;
  /** After the last event; a stream without an end gets `fail`'s. */
  end(): string;
}

/** Between the client's wire and the hub. */
export interface ClientTranslation {
  head(received: Received): RequestHead;
  /**
   * A request of the hub; `model` and `stream` are those of the head. Unknown fields are dropped with a note.
   * @throws ProxyError 400 that names the JSON path, for what is no request
   */
  decode(received: Received, note: Note): JsonObject;
  stream(options: ReplyOptions): StreamEncoder;
  /** @param message a whole message of the hub */
  whole(message: JsonObject, options: ReplyOptions): LocalReply;
}

/**
 * What an event of a stream says of the reply: nothing yet, that there is one, that it is complete, or that there will be none.
 * A reply that ended without content is empty.
 */
export type EventMeaning = "preamble" | "content" | "end" | { readonly error: ErrorKind; readonly message: string };

/** The client's side of a dialect. */
export interface Ingress {
  readonly routes: readonly IngressRoute[];
  encodeError(error: ProxyError, requestId: string): LocalReply;
  /** The event that ends a stream which can no longer be completed, where no `StreamEncoder` is at work. */
  encodeStreamError(error: ProxyError): Uint8Array;
  /** What keeps a silent stream alive, e.g. a comment. */
  readonly ping: Uint8Array;
  /** Watches bytes of this wire, whoever made them. */
  watch(contentType: string): ReplyWatch;
  /**
   * Reads events of this wire until there is content, and replies in one piece. Absent: a reply counts as begun when its headers
   * are in.
   * @param data of one event, or a whole reply @param name as `event:` has it, else empty
   */
  meaning?(data: string, name: string): EventMeaning;
  /** Whether a chunk of a stream holds nothing but pings and comments. Cheap: asked for every chunk. Absent: none does. */
  isKeepAlive?(chunk: Uint8Array): boolean;
  encodeTokenCount(inputTokens: number): LocalReply;
  readonly modelList?: ModelList;
  /** Headers of a reply that tell its client how it stands with a budget. @param wallClock ms since 1970 */
  budgetNotices?(standing: BudgetStanding, wallClock: number): HeaderList;
  /** What a client is told for whose request nothing is left. Absent: as LiteLLM says it. @param wallClock ms since 1970 */
  budgetRefusal?(standing: BudgetStanding, wallClock: number): ProxyError;
  /** Absent where the wire is the hub's own. */
  readonly translation?: ClientTranslation;
}

/** A credential and the form in which the caller or the configuration gave it. */
export interface Credential {
  readonly form: "bearer" | "api-key";
  readonly value: string;
  readonly userAgent?: string;
}

export interface Dialect {
  /** Clients and upstreams that name the same one exchange bytes. */
  readonly name: string;
  readonly ingress?: Ingress;
  readonly wire?: Wire;
}
