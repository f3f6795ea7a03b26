/** The body of a request that is held no longer than it may still be needed: a stream may last an hour, its request is sent at once. */

import type { UpstreamRequest } from "./send.ts";

type Body = NonNullable<UpstreamRequest["body"]>;

/** undici keeps what it is given until the response has ended; so it is given this. */
class SentBody implements Iterable<Uint8Array> {
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws Error when it was let go */
  *[Symbol.iterator](): Generator<Uint8Array> {
    if (this.#bytes === undefined) throw new Error("the body was let go");
    yield this.#bytes;
  }

  letGo(): void {
    this.#bytes = undefined;
  }
}

export interface Sendable {
  readonly body: Body | null;
  /** To be sent along with it. */
  readonly headers: readonly string[];
  /** There will be no second time. */
  letGo(): void;
}

export function sendable(body: UpstreamRequest["body"]): Sendable {
  if (!(body instanceof Uint8Array) || body.length === 0) return { body: body ?? null, headers: [], letGo: () => undefined };
  const sent = new SentBody(body);
  // undici documents iterables, its types leave them out.
  return { body: sent as unknown as Body, headers: ["content-length", String(body.length)], letGo: () => sent.letGo() };
}
