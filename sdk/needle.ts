/** Finds a word in bytes that go by, also where it is cut in two. */
export class Needle {
  readonly #word: Buffer;
  /** The last bytes of what went by, if a line goes on: one fewer than the word has. */
  #before: Buffer | undefined;
  #isSeen = false;

  /** @param word ASCII, without a line break */
  constructor(word: string) {
    this.#word = Buffer.from(word, "latin1");
  }

  /** Whether it has come by. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  push(chunk: Uint8Array): void {
    if (this.#isSeen || chunk.length === 0) return;
    const bytes =
      this.#before === undefined ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([this.#before, chunk]);
    this.#isSeen = bytes.includes(this.#word);
    // Copied: what is kept of a chunk keeps all of it.
    this.#before = bytes.at(-1) === newline ? undefined : Buffer.from(bytes.subarray(1 - this.#word.length));
  }
}

const newline = 0x0a;
