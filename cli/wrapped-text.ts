/** Writes text that comes in pieces, broken at blanks into lines of a width. */

import type { Writable } from "node:stream";

export class WrappedText {
  readonly #out: Writable;
  readonly #margin: string;
  readonly #width: number;
  #column = 0;
  #word = "";

  /** @param width of a line, without the margin */
  constructor(out: Writable, margin: string, width: number) {
    this.#out = out;
    this.#margin = margin;
    this.#width = width;
  }

  write(text: string): void {
    for (const part of text.split(/(\s+)/)) {
      if (part.trim() === "") this.#flushWord();
      else this.#word += part;
    }
  }

  end(): void {
    this.#flushWord();
    if (this.#column > 0) this.#out.write("\n");
    this.#column = 0;
  }

  #flushWord(): void {
    if (this.#word === "") return;
    const fits = this.#column > 0 && this.#column + 1 + this.#word.length <= this.#width;
    const before = this.#column === 0 ? this.#margin : fits ? " " : `\n${this.#margin}`;
    this.#out.write(before + this.#word);
    this.#column = (fits ? this.#column + 1 : 0) + this.#word.length;
    this.#word = "";
  }
}
