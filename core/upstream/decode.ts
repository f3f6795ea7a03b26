/** Undoes a compression that was not asked for, so that a stream reaches the caller event by event. */

import { Readable } from "node:stream";
import {
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { pipeline } from "node:stream";

import { ProxyError } from "../../sdk/errors.ts";

const decoders: Readonly<Record<string, () => Gunzip | Inflate | BrotliDecompress | ReturnType<typeof createZstdDecompress>>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** @throws ProxyError 502 for a coding, or a stack of codings, that is not known; the iteration throws 502 for broken data */
export function decode(body: AsyncIterable<Uint8Array>, contentEncoding: string): AsyncIterable<Uint8Array> {
  const name = contentEncoding.trim().toLowerCase();
  const create = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
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
  // The failure of either side surfaces in the loop below.
  pipeline(Readable.from(body), decoder, () => undefined);
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (cause) {
    if (cause instanceof ProxyError) throw cause;
    throw new ProxyError("The upstream's compressed answer is broken.", { status: 502, kind: "api_error", cause });
  }
}
