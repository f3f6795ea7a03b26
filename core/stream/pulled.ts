/** A body out of two functions. No generator: the `return` of one that waits would wait for bytes that may never come. */

/** What is asked for piece by piece; undefined is the end. */
export type Pull<Piece> = () => Promise<Piece | undefined>;

/** @param close never rejects */
export function pulledBody(next: Pull<Uint8Array>, close: () => Promise<void>): AsyncIterableIterator<Uint8Array> {
  const body: AsyncIterableIterator<Uint8Array> = {
    async next() {
      const value = await next();
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    async return() {
      await close();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => body,
  };
  return body;
}

/** The two functions of a body. */
export function pullFrom(body: AsyncIterable<Uint8Array>): { readonly next: Pull<Uint8Array>; close(): Promise<void> } {
  const iterator = body[Symbol.asyncIterator]();
  return {
    async next() {
      const result = await iterator.next();
      return result.done === true ? undefined : result.value;
    },
    async close() {
      await iterator.return?.().then(undefined, () => undefined);
    },
  };
}
