/**
 * The provider's side of a dialect: how a request of the hub looks on this wire, and how what comes back is told in
 * the hub's events. Pure: core does the I/O, providers know addresses and credentials.
 */

import type { Json, RequestBody } from "./body.ts";
import type { HeaderList, Operation } from "./dialect.ts";
import type { ProxyError } from "./errors.ts";
import type { JsonObject } from "./events.ts";
import type { Quirks } from "./quirks.ts";

/** What is known of a model; undefined where nobody said. */
export interface ModelFacts {
  /** Tokens, input and output together. */
  readonly contextWindow: number | undefined;
  /** Tokens of one reply. */
  readonly maxOutputTokens: number | undefined;
  readonly images: boolean | undefined;
  readonly documents: boolean | undefined;
  readonly tools: boolean | undefined;
  readonly reasoning: boolean | undefined;
  /** Whether a conversation may end in the beginning of the reply. */
  readonly prefill?: boolean | undefined;
}

/** Where one attempt goes. */
export interface Target {
  readonly deploymentId: string;
  /** Canonical name of the provider, e.g. `groq`. */
  readonly providerName: string;
  /** The model id the upstream is asked for. */
  readonly model: string;
  /** Base URL without a trailing slash. */
  readonly apiBase: string;
  /** `litellm_params`, references resolved. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly modelFacts: ModelFacts;
  /** How this host departs from the dialect. */
  readonly quirks: Quirks;
  /** Who can read back what this target seals into a conversation: provider and host. */
  readonly producer: string;
}

/** Says in the trace what a translation dropped or put otherwise. Never holds what a user wrote. */
export type Note = (what: string, details?: Readonly<Record<string, Json>>) => void;

/** A request in the hub's vocabulary, on its way to a wire. */
export interface HubRequest {
  /** A `MessagesRequest`; parsed once and shared: never altered. */
  readonly body: JsonObject;
  /** Id of the client's session. */
  readonly session: string | undefined;
  /** Tokens of the request, roughly: what a reply claims until the upstream has counted. */
  readonly estimatedInputTokens: number;
  /** The producer refused what it had sealed itself: leave all thinking out. */
  readonly withoutThinking?: boolean;
}

export interface Encoded {
  readonly body: JsonObject;
  /** Beside what the host itself needs. */
  readonly headers?: HeaderList;
  /** Reads what comes back for this request: it knows which names were given to which tools. */
  readonly reader: ReplyReader;
}

export interface ReplyReader {
  stream(): StreamDecoder;
  /** A whole reply, told in the events that would have streamed it. @throws ProxyError when it is none */
  whole(reply: JsonObject): readonly JsonObject[];
}

/** Events of the hub out of bytes of this wire. Whatever comes, what is told is in order and ends once. */
export interface StreamDecoder {
  push(chunk: Uint8Array): readonly JsonObject[];
  /** Call once, after the last byte. Without a proper end of the wire's own, the last event is an `error`. */
  end(): readonly JsonObject[];
}

/** An answer with a status that is no success. */
export interface UpstreamFailure {
  readonly status: number;
  /** Lower case. */
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

export interface DecodedError {
  readonly error: ProxyError;
  /** What may help: the same request once more without thinking that was sealed here. */
  readonly retry?: "without-thinking";
}

export interface Wire {
  /** Absent where the wire is the hub's own. @throws ProxyError 400 for what cannot be asked on this wire at all */
  encode?(request: HubRequest, target: Target, note: Note): Encoded;
  /** A body that a client of the same dialect sent, for this target: its model, and names of fields that this host knows otherwise. */
  adapt(body: RequestBody, target: Target, operation: Operation): RequestBody;
  /**
   * Only of the hub's own wire: a request that was written for another model, or in another dialect, without what this
   * model refuses. One that was written for it passes as it came.
   */
  fit?(body: RequestBody, target: Target, note: Note): RequestBody;
  /** In the hub's kinds, with the wording clients act upon; headers such as `retry-after` kept, account ids left out. */
  decodeError(failure: UpstreamFailure, target: Target): DecodedError;
}
