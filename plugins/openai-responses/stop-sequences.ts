/** Cuts a text at the first stop sequence, for a wire that knows none. */

export interface Cut {
  /** What may be told by now. */
  readonly text: string;
  /** The sequence that was found; nothing is told from there on. */
  readonly sequence: string | undefined;
}

export class StopSequences {
  readonly #sequences: readonly string[];
  /** May be the beginning of a sequence. */
  #held = "";

  constructor(sequences: readonly string[]) {
    this.#sequences = sequences;
  }

  push(piece: string): Cut {
    if (this.#sequences.length === 0) return { text: piece, sequence: undefined };
    const text = this.#held + piece;
    let at = -1;
    let found: string | undefined;
    for (const sequence of this.#sequences) {
      const index = text.indexOf(sequence);
      if (index !== -1 && (at === -1 || index < at)) {
        at = index;
        found = sequence;
      }
    }
    if (found !== undefined) {
      this.#held = "";
      return { text: text.slice(0, at), sequence: found };
    }
    const kept = this.#kept(text);
    this.#held = text.slice(text.length - kept);
    return { text: text.slice(0, text.length - kept), sequence: undefined };
  }

  /** Of a text that has ended: what was held back. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** Characters at the end with which a sequence begins. */
  #kept(text: string): number {
    let most = 0;
    for (const sequence of this.#sequences) {
      for (let length = Math.min(sequence.length - 1, text.length); length > most; length--) {
        if (text.endsWith(sequence.slice(0, length))) {
          most = length;
          break;
        }
      }
    }
    return most;
  }
}
