/** Undoes a compression that was not asked for, so that a stream reaches the caller event by event. */

import { Readable, pipeline } from "node:stream";
import {
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";

import { ProxyError } from "../../sdk/errors.ts";

const decoders: Readonly<Record<string, () => Gunzip | Inflate | BrotliDecompress | ReturnType<typeof createZstdDecompress>>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** @param name a content coding in lower case */
export function canDecode(name: string): boolean {
  return Object.hasOwn(decoders, name);
}

/** @throws ProxyError 502 for a coding, or a stack of codings, that is not known; the iteration throws 502 for broken data */
export function decode(body: AsyncIterable<Uint8Array>, contentEncoding: string): AsyncIterable<Uint8Array> {
  const name = contentEncoding.trim().toLowerCase();
  const create = canDecode(name) ? decoders[name] : undefined;
  if (create === undefined) {
    throw new ProxyError(`The upstream answered with the content encoding "${name}", which was not asked for and is not known here.`, {
      status: 502,
      kind: "api_error",
    });
  }
  return decoded(body, create());
}

async function* decoded(
  body: AsyncIterable<Uint8Array>,
  decoder: ReturnType<NonNullable<(typeof decoders)[string]>>,
): AsyncGenerator<Uint8Array> {
  let failure: { readonly of: unknown } | undefined;
  const iterator = body[Symbol.asyncIterator]();
  // No generator: its `return` would wait for a `next` that may never come.
  const source: AsyncIterableIterator<Uint8Array> = {
    next: () =>
      iterator.next().catch((error: unknown) => {
        failure = { of: error };
        throw error;
      }),
    return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]: () => source,
  };
  // The failure of either side surfaces in the loop below.
  pipeline(Readable.from(source), decoder, () => undefined);
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (cause) {
    // A caller that left or an upstream that broke off is no fault of the compression.
    if (failure !== undefined) throw failure.of;
    throw new ProxyError("The upstream's compressed answer is broken.", { status: 502, kind: "api_error", cause });
  }
}
