/** A dialect: one vendor protocol, as the client's side (ingress) and as the provider's side. Pure: core does the I/O. */

import type { RequestBody } from "./body.ts";
import type { ProxyError } from "./errors.ts";
import type { EventCodec, MessageContent, MessageOptions } from "./events.ts";
import type { Facts, HeaderReader } from "./facts.ts";

/** Header names are lower case. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface Usage {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly cacheWriteTokens: number | undefined;
}

/** `generate` runs a model; `count_tokens` only counts. */
export type Operation = "generate" | "count_tokens";

export interface IngressRoute {
  readonly method: "POST";
  /** koa-router path, e.g. `/v1/messages`. */
  readonly path: string;
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

/** The client's side of a dialect. */
export interface Ingress {
  readonly routes: readonly IngressRoute[];
  facts(body: RequestBody, headers: HeaderReader): Facts;
  encodeError(error: ProxyError, requestId: string): LocalReply;
  /** The event that ends a stream which can no longer be completed. */
  encodeStreamError(error: ProxyError): Uint8Array;
  /** The event that keeps a silent stream alive. */
  readonly ping: Uint8Array;
  watch(contentType: string): ReplyWatch;
  /** A complete reply with this text, in the form the caller asked for. */
  encodeText(text: string, options: MessageOptions): LocalReply;
  /** A complete reply with these content blocks, likewise. */
  encodeMessage(message: MessageContent, options: MessageOptions): LocalReply;
  /** Replies as events of the hub, and back. */
  readonly events: EventCodec;
  encodeTokenCount(inputTokens: number): LocalReply;
  readonly modelList?: ModelList;
}

/** Where one attempt goes. */
export interface Target {
  readonly deploymentId: string;
  /** The model id the upstream is asked for. */
  readonly model: string;
  /** Base URL without a trailing slash. */
  readonly apiBase: string;
}

/** What `Provider.encode` is given. */
export interface ForwardRequest {
  readonly operation: Operation;
  readonly body: RequestBody;
  /** Path and query as the client sent them. */
  readonly path: string;
  readonly search: string;
  /** End-to-end request headers: no credentials, no hop-by-hop, nothing of the browser's. */
  readonly headers: HeaderList;
}

/** One HTTP request to an upstream, without its credential. */
export interface Outbound {
  readonly url: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** A credential and the form in which the caller or the configuration gave it. */
export interface Credential {
  readonly form: "bearer" | "api-key";
  readonly value: string;
  readonly userAgent?: string;
}

/** The provider's side of a dialect. */
export interface Provider {
  /** Names before the slash in `litellm_params.model`, the first one is the canonical name. */
  readonly names: readonly string[];
  /** Whether a model name without a prefix belongs to this provider. */
  recognises(model: string): boolean;
  readonly defaultApiBase: string;
  /** Whether a caller's own credential may be sent to this URL: exact hosts of the vendor only. */
  ownsUrl(url: URL): boolean;
  /** Whether a value has the shape of this vendor's credentials, as opposed to a placeholder. */
  isCredential(value: string): boolean;
  encode(request: ForwardRequest, target: Target): Outbound;
  /** Adds the credential to the headers. */
  authorize(headers: HeaderList, credential: Credential): HeaderList;
  /** Paths of the vendor's own API that are relayed to the vendor as they are, with the caller's own credential. */
  readonly passThrough?: { matches(path: string): boolean };
  /** The headers of a relayed request, without what only the proxy should see. */
  relayHeaders(headers: HeaderList, url: URL): HeaderList;
}

export interface Dialect {
  readonly name: string;
  readonly ingress?: Ingress;
  readonly provider?: Provider;
}
