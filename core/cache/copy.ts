/** The bytes of a reply that goes by, kept as long as they are few enough. */

export interface Copied {
  readonly body: Uint8Array;
  /** Lengths of the pieces in which it came. */
  readonly pieces: readonly number[];
}

/** Told once how the reply ended. `too long`: at once, not at its end. */
export type CopyEnd = Copied | "too long" | "cut off";

const firstBlock = 4096;
const longestBlock = 256 * 1024;

/**
 * Bytes are copied together: a piece of a socket's buffer takes several times its length for as long as it is kept.
 */
export class ReplyCopy {
  readonly #maxBytes: number;
  #onEnd: ((end: CopyEnd) => void) | undefined;
  #blocks: Uint8Array[] = [];
  #pieces: number[] = [];
  /** Used of the last block. */
  #used = 0;
  #length = 0;

  constructor(maxBytes: number, onEnd: (end: CopyEnd) => void) {
    this.#maxBytes = maxBytes;
    this.#onEnd = onEnd;
  }

  push(piece: Uint8Array): void {
    if (this.#onEnd === undefined || piece.length === 0) return;
    if (this.#length + piece.length > this.#maxBytes) {
      this.#finish("too long");
      return;
    }
    this.#pieces.push(piece.length);
    this.#length += piece.length;
    let rest = piece;
    while (rest.length > 0) {
      const block = this.#room(rest.length);
      const part = rest.subarray(0, block.length - this.#used);
      block.set(part, this.#used);
      this.#used += part.length;
      rest = rest.subarray(part.length);
    }
  }

  /** The proper end of the reply. */
  end(): void {
    if (this.#onEnd === undefined) return;
    const full = this.#blocks.slice(0, -1);
    const last = this.#blocks.at(-1)?.subarray(0, this.#used) ?? new Uint8Array();
    this.#finish({ body: Buffer.concat([...full, last]), pieces: this.#pieces });
  }

  /** There will be no proper end, or nobody waits for it. */
  drop(): void {
    this.#finish("cut off");
  }

  #room(wanted: number): Uint8Array {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used < last.length) return last;
    const length = Math.min(longestBlock, Math.max(firstBlock, wanted, (last?.length ?? 0) * 2));
    const block = Buffer.allocUnsafeSlow(length);
    this.#blocks.push(block);
    this.#used = 0;
    return block;
  }

  #finish(end: CopyEnd): void {
    const onEnd = this.#onEnd;
    if (onEnd === undefined) return;
    this.#onEnd = undefined;
    this.#blocks = [];
    this.#pieces = [];
    onEnd(end);
  }
}
