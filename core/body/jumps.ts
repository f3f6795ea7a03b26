/** Remembers where long strings and containers end, so that walks into a body need not read their bytes again. */

/** Shorter ones are read again faster than they are looked up. Bounds the list to a fraction of the body, too. */
const SHORTEST_JUMP_BYTES = 64;
const NONE = -1;

/** Pairs of start and end offsets, in order of their starts. */
export type Jumps = Int32Array;

/** Gathers jumps while a value is read from front to back. Keeps the stack of open brackets at the same time. */
export class JumpRecorder {
  #pairs: Int32Array;
  #length = 0;
  /** Index of the innermost open bracket. Its end slot holds the index of the bracket around it. */
  #innermost = NONE;

  constructor(bodyBytes: number) {
    this.#pairs = new Int32Array(64 + 2 * (bodyBytes >> 8));
  }

  /** Start of the innermost open bracket; -1 when none is open. */
  get openedAt(): number {
    return this.#innermost === NONE ? NONE : this.#pairs[this.#innermost]!;
  }

  open(start: number): void {
    this.#push(start, this.#innermost);
    this.#innermost = this.#length - 2;
  }

  /** Closes the innermost bracket. @returns whether it was the outermost */
  close(end: number): boolean {
    const closed = this.#innermost;
    this.#innermost = this.#pairs[closed + 1]!;
    // What stands inside a short one is shorter still, so nothing else is lost by going back to it.
    if (end - this.#pairs[closed]! < SHORTEST_JUMP_BYTES) this.#length = closed;
    else this.#pairs[closed + 1] = end;
    return this.#innermost === NONE;
  }

  string(start: number, end: number): void {
    if (end - start >= SHORTEST_JUMP_BYTES) this.#push(start, end);
  }

  finish(): Jumps {
    return this.#pairs.subarray(0, this.#length);
  }

  #push(start: number, end: number): void {
    if (this.#length === this.#pairs.length) {
      const longer = new Int32Array(this.#pairs.length * 2);
      longer.set(this.#pairs);
      this.#pairs = longer;
    }
    this.#pairs[this.#length++] = start;
    this.#pairs[this.#length++] = end;
  }
}

/** Index of the first pair that starts at or after an offset. */
export function findJump(jumps: Jumps, offset: number): number {
  let low = 0;
  let high = jumps.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (jumps[middle << 1]! < offset) low = middle + 1;
    else high = middle;
  }
  return low << 1;
}
