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

import { ConnectionError } from "./connection-error.ts";
import { failed } from "./describe-failure.ts";

const decoders: Readonly<Record<string, () => Gunzip | Inflate | BrotliDecompress | ReturnType<typeof createZstdDecompress>>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** A few kilobytes may stand for gigabytes; the longest answers that models give stay well below either. */
const limits = {
  /** Of the decoded bytes. */
  bytes: 512 * 1024 * 1024,
  /** Decoded bytes for each that came… */
  ratio: 100,
  /** …which counts beyond so many: events that repeat themselves are compressed as well as any bomb. */
  ratioFrom: 32 * 1024 * 1024,
};

/** @param name a content coding in lower case */
export function canDecode(name: string): boolean {
  return Object.hasOwn(decoders, name);
}

/** @throws ConnectionError 502 for a coding, or a stack of codings, that is not known; the iteration throws it for broken data, or too much */
export function decode(body: AsyncIterable<Uint8Array>, contentEncoding: string): AsyncIterable<Uint8Array> {
  const name = contentEncoding.trim().toLowerCase();
  const create = canDecode(name) ? decoders[name] : undefined;
  if (create === undefined) {
    throw failed(
      "closed-in-response",
      `The upstream answered with the content encoding "${name}", which was not asked for and is not known here.`,
    );
  }
  return decoded(body, create());
}

async function* decoded(
  body: AsyncIterable<Uint8Array>,
  decoder: ReturnType<NonNullable<(typeof decoders)[string]>>,
): AsyncGenerator<Uint8Array> {
  let failure: { readonly of: unknown } | undefined;
  let received = 0;
  let produced = 0;
  const iterator = body[Symbol.asyncIterator]();
  // No generator: its `return` would wait for a `next` that may never come.
  const source: AsyncIterableIterator<Uint8Array> = {
    async next() {
      try {
        const result = await iterator.next();
        if (result.done !== true) received += result.value.length;
        return result;
      } catch (error) {
        failure = { of: error };
        throw error;
      }
    },
    return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]: () => source,
  };
  // The failure of either side surfaces in the loop below.
  pipeline(Readable.from(source), decoder, () => undefined);
  try {
    for await (const chunk of decoder) {
      produced += chunk.length;
      if (isTooMuch(produced, received)) throw tooMuch(produced, received);
      yield chunk;
    }
  } catch (cause) {
    // A caller that left or an upstream that broke off is no fault of the compression.
    if (failure !== undefined) throw failure.of;
    if (cause instanceof ConnectionError) throw cause;
    throw failed("closed-in-response", "The upstream's compressed answer is broken.", cause);
  }
}

function isTooMuch(produced: number, received: number): boolean {
  return produced > limits.bytes || (produced > limits.ratioFrom && produced > received * limits.ratio);
}

function tooMuch(produced: number, received: number): ConnectionError {
  const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  return failed("too-much", `The upstream's compressed answer was given up: ${mebibytes(received)} of it made ${mebibytes(produced)}.`);
}
