/** Finds out where a JSON value that comes in pieces ends, looking at each character once. */

export class JsonEnd {
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  #hasBegun = false;

  /** Whether an object or a list has begun and ended. */
  get isComplete(): boolean {
    return this.#hasBegun && this.#depth === 0;
  }

  push(piece: string): void {
    for (let at = 0; at < piece.length; at++) {
      const char = piece.charCodeAt(at);
      if (this.#isText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (char === 0x5c) this.#isEscaped = true;
        else if (char === 0x22) this.#isText = false;
      } else if (char === 0x22) this.#isText = true;
      else if (char === 0x7b || char === 0x5b) {
        this.#depth += 1;
        this.#hasBegun = true;
      } else if (char === 0x7d || char === 0x5d) this.#depth -= 1;
    }
  }
}
