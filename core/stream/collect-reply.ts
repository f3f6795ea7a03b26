/** Reads a reply that has to be seen as a whole, as far as that is bearable. */

/** All of it; or, of one that turned out too large, what was read so far, and the same bytes to be read from the start. */
export type CollectedReply =
  | { readonly isWhole: true; readonly bytes: Uint8Array }
  | { readonly isWhole: false; readonly head: Uint8Array; readonly body: AsyncIterable<Uint8Array> };

/** Rejects when the body fails before it is whole or too large. */
export async function collectReply(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<CollectedReply> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const iterator = body[Symbol.asyncIterator]();
  for (;;) {
    const result = await iterator.next();
    if (result.done === true) break;
    chunks.push(result.value);
    length += result.value.length;
    if (length > maxBytes) return { isWhole: false, head: Buffer.concat(chunks), body: withHead(chunks, iterator) };
  }
  const [only] = chunks;
  return { isWhole: true, bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks) };
}

/** No generator: the `return` of one that waits would wait for bytes that may never come. */
function withHead(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncIterableIterator<Uint8Array> {
  let given = 0;
  const iterator: AsyncIterableIterator<Uint8Array> = {
    next() {
      const chunk = chunks[given];
      if (chunk === undefined) return rest.next();
      given++;
      return Promise.resolve({ done: false, value: chunk });
    },
    return: () => rest.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** A body that is all there. */
export async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
