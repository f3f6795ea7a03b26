/** Reads the body of one incoming request into memory, up to a limit. */

import type { IncomingMessage } from "node:http";
import { ProxyError } from "../../sdk/errors.ts";

/** Above this a declared length is not believed until the bytes arrive: memory grows with what was sent. */
const LARGEST_UPFRONT_BYTES = 8 * 1024 * 1024;

export interface BodyLimits {
  readonly maxBytes: number;
}

/** The client closed the connection before its whole body had arrived. There is nobody left to answer. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/**
 * Collects a body with at most one copy of each byte.
 *
 * When it is refused as too large, nothing more is read: the request is left paused, the connection open.
 * The caller must answer, and then either `request.resume()`, so that the rest flows by unkept and the
 * client gets to read the answer, or close the connection, whereupon a client that is still sending may
 * see a reset in place of the answer.
 *
 * @throws ProxyError 413 `request_too_large` when the declared length or the bytes sent exceed the limit
 * @throws ClientGone when the connection ends first, also when fewer bytes came than were declared
 */
export function collectBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const declared = declaredLength(request);
  if (declared !== undefined && declared > limits.maxBytes) {
    return Promise.reject(tooLarge(`${declared} bytes`, limits));
  }
  if (request.destroyed) return Promise.reject(clientGone(0, declared));

  return new Promise((resolve, reject) => {
    const gathered = declared !== undefined && declared <= LARGEST_UPFRONT_BYTES ? new KnownLength(declared) : new Chunks();

    const onData = (chunk: Buffer): void => {
      if (gathered.length + chunk.length > limits.maxBytes) {
        request.pause();
        finish();
        reject(tooLarge(`more than ${limits.maxBytes} bytes`, limits));
      } else {
        gathered.add(chunk);
      }
    };
    const onEnd = (): void => {
      finish();
      resolve(gathered.take());
    };
    // Follows every early end of the connection, with or without an error event before it.
    const onClose = (): void => {
      finish();
      reject(clientGone(gathered.length, declared));
    };
    const finish = (): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
    };
    request.on("data", onData).on("end", onEnd).on("close", onClose);
    // Stays: a client may also reset after it was refused, and an error nobody listens for ends the process.
    request.on("error", ignore);
  });
}

/** Holds on to nothing. */
function ignore(): void {}

/** Copies chunks to their place in one buffer. */
class KnownLength {
  length = 0;
  readonly #declared: number;
  #bytes: Buffer | undefined;

  constructor(declared: number) {
    this.#declared = declared;
  }

  add(chunk: Buffer): void {
    const { length } = chunk;
    // A small body comes in one piece, and node hands over each piece for good.
    if (this.#bytes === undefined && length === this.#declared) this.#bytes = chunk;
    else {
      chunk.copy((this.#bytes ??= Buffer.allocUnsafeSlow(this.#declared)), this.length);
      giveBack(chunk);
    }
    this.length += length;
  }

  take(): Buffer {
    return this.#bytes?.subarray(0, this.length) ?? Buffer.alloc(0);
  }
}

/**
 * Frees the memory of a copied chunk at once. Left to the garbage collector, every megabyte received would count
 * twice towards the next full collection, and these cost more than everything else here.
 */
function giveBack(chunk: Buffer): void {
  const { buffer } = chunk;
  // Small pieces may share a slab with others; one that fills its memory alone is ours alone.
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength) buffer.transfer(0);
}

/** Keeps chunks until the end. */
class Chunks {
  length = 0;
  readonly #chunks: Buffer[] = [];

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  take(): Buffer {
    const [first] = this.#chunks;
    return first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.length);
  }
}

function declaredLength(request: IncomingMessage): number | undefined {
  const header = request.headers["content-length"];
  return header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined;
}

function tooLarge(found: string, limits: BodyLimits): ProxyError {
  const message = `The request body is too large: found ${found}, the limit is ${limits.maxBytes} bytes.`;
  return new ProxyError(message, { status: 413, kind: "request_too_large" });
}

function clientGone(received: number, declared: number | undefined): ClientGone {
  const of = declared === undefined ? "" : ` of ${declared}`;
  return new ClientGone(`The client closed the connection after ${received}${of} body bytes.`);
}
