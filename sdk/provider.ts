/** A provider: addresses, credentials and manners of one vendor's hosts. Which wires they speak is named, not known here. */

import type { RequestBody } from "./body.ts";
import type { Credential, HeaderList, Operation } from "./dialect.ts";
import type { Quirks } from "./quirks.ts";
import type { DecodedError, ModelFacts, Target, UpstreamFailure } from "./wire.ts";

/** What a provider is asked about before there is a target. */
export interface ModelQuestion {
  /** Without the provider's prefix. */
  readonly model: string;
  /** Undefined where the provider's own is meant. */
  readonly apiBase: string | undefined;
  /** `litellm_params`, references resolved. */
  readonly params: Readonly<Record<string, unknown>>;
  /** `model_info`, as written. */
  readonly info: Readonly<Record<string, unknown>>;
}

/** A body in the wire's own form, to be addressed. */
export interface Addressed {
  readonly dialect: string;
  readonly operation: Operation;
  readonly stream: boolean;
  readonly body: RequestBody;
  /** Path and query as the client sent them; of use where its dialect is this one. */
  readonly path: string;
  readonly search: string;
  /** End-to-end headers of the caller, no credentials among them. */
  readonly headers: HeaderList;
}

/** One HTTP request to an upstream. */
export interface Outbound {
  readonly url: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** Turns what a host wraps a stream in into the bytes of an event stream. */
export interface Unframer {
  /** @throws ProxyError 502 when the frames are none */
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** Looks up a variable: `environment_variables` of the configuration, then the real environment. */
export type Variables = (name: string) => string | undefined;

export interface Provider {
  /** Names before the slash in `litellm_params.model`, the first one is the canonical name. */
  readonly names: readonly string[];
  /** Whether a model name without a prefix belongs to this provider. */
  recognises?(model: string): boolean;
  /** Whether a base URL is one of its own, for deployments that name no provider. */
  readonly hosts?: readonly string[];
  /** Undefined where every customer has another. */
  readonly defaultApiBase: string | undefined;
  /** Variables that hold the base URL, the first that is set counts. */
  readonly baseVariables?: readonly string[];
  /** Variables that hold the key, likewise. */
  readonly keyVariables?: readonly string[];
  /** Variables that stand in for params that a deployment leaves out, the first that is set counts. */
  readonly paramVariables?: Readonly<Record<string, readonly string[]>>;
  /** A server of one's own needs none. */
  readonly keyOptional?: boolean;
  /** The base where neither the deployment nor a variable says it, e.g. of a region. @throws Error that says what is missing */
  apiBase?(question: ModelQuestion, variables: Variables): string;
  /** The id to ask for, where prefixes of the name were meant for us (`responses/gpt-6`). Default: as it is. */
  modelId?(model: string): string;
  /** Dialects its hosts speak for this model and operation, best first; empty: it has no such operation. */
  dialects(question: ModelQuestion, operation: Operation): readonly string[];
  quirks?(question: ModelQuestion): Quirks;
  modelFacts?(model: string): Partial<ModelFacts>;
  /** What in `litellm_params` cannot work, in words: found, wanted, what to do. */
  check?(question: ModelQuestion, variables: Variables): readonly string[];
  /** Address, headers of the protocol, and the body as this host wants it. No credential. */
  address(request: Addressed, target: Target): Outbound;
  /** Adds a key or token. */
  authorize(headers: HeaderList, credential: Credential): HeaderList;
  /** Signs, or fetches a token, where the deployment has no key of its own. @throws ProxyError 401 that says where credentials were looked for */
  sign?(outbound: Outbound, target: Target, variables: Variables): Promise<Outbound>;
  /** @param contentType of a reply. Undefined where it is what the dialect says. */
  unframe?(contentType: string): Unframer | undefined;
  /**
   * Reads a refusal that its hosts put otherwise than the dialect does, or that names an account. Undefined for one that
   * may be read, or pass to a client of that dialect, as it came.
   */
  decodeError?(failure: UpstreamFailure, target: Target): DecodedError | undefined;
  /** Whether a caller's own credential may be sent to this URL: exact hosts of the vendor only. */
  ownsUrl(url: URL): boolean;
  /** Whether a value has the shape of this vendor's credentials, as opposed to a placeholder. */
  isCredential?(value: string): boolean;
  /** Whether an answer is billed to its end though nobody waits for it: then it is read to its end, for what it cost. */
  readonly billsAbandoned?: boolean;
  /** Paths of the vendor's own API that are relayed to the vendor as they are, with the caller's own credential. */
  readonly passThrough?: { matches(path: string): boolean };
  /** The headers of a relayed request, without what only the proxy should see. */
  relayHeaders?(headers: HeaderList, url: URL): HeaderList;
}
