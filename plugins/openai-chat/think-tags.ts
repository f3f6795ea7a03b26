/** Reasoning that stands at the front of the content between `<think>` and `</think>`, wherever the pieces are cut. */

export interface TaggedPiece {
  readonly isThinking: boolean;
  readonly text: string;
}

const opening = "<think>";
const closing = "</think>";

/** Each character is looked at once, but for those that may yet turn out to be part of a tag. */
export class ThinkTags {
  #state: "front" | "thinking" | "gap" | "text" = "front";
  /** What cannot be told yet. */
  #held = "";

  push(piece: string): readonly TaggedPiece[] {
    if (this.#state === "text") return [{ isThinking: false, text: piece }];
    const pieces: TaggedPiece[] = [];
    let rest = this.#held + piece;
    this.#held = "";
    if (this.#state === "front") {
      const begun = rest.trimStart();
      if (begun.length < opening.length && opening.startsWith(begun)) {
        this.#held = rest;
        return pieces;
      }
      if (!begun.startsWith(opening)) {
        this.#state = "text";
        return [{ isThinking: false, text: rest }];
      }
      this.#state = "thinking";
      rest = begun.slice(opening.length);
    }
    if (this.#state === "thinking") {
      const end = rest.indexOf(closing);
      const known = end === -1 ? rest.length - partialTag(rest) : end;
      if (known > 0) pieces.push({ isThinking: true, text: rest.slice(0, known) });
      if (end === -1) {
        this.#held = rest.slice(known);
        return pieces;
      }
      this.#state = "gap";
      rest = rest.slice(end + closing.length);
    }
    // The lines between thinking and text belong to neither.
    const said = rest.replace(/^\s+/, "");
    if (said === "") return pieces;
    this.#state = "text";
    pieces.push({ isThinking: false, text: said });
    return pieces;
  }

  /** What was held back, after the last piece. */
  end(): readonly TaggedPiece[] {
    const text = this.#held;
    this.#held = "";
    return text === "" ? [] : [{ isThinking: this.#state === "thinking", text }];
  }
}

/** Length of the longest end of a text that is the beginning of the closing tag. */
function partialTag(text: string): number {
  for (let length = Math.min(closing.length - 1, text.length); length > 0; length--) {
    if (closing.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
