/** Objects out of a stream that is one JSON list, as the API writes it where events were not asked for. */

import { ProxyError } from "../../sdk/errors.ts";

const openBrace = 0x7b;
const closeBrace = 0x7d;
const quote = 0x22;
const backslash = 0x5c;
const mostCharacters = 32 * 1024 * 1024;

/** Each character is looked at once. */
export class JsonListReader {
  readonly #decoder = new TextDecoder();
  /** Of the object that has begun. */
  #pieces: string[] = [];
  #length = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  /**
   * JSON texts of the objects that this chunk completes.
   * @throws ProxyError 502 when one grows beyond 32 million characters
   */
  push(chunk: Uint8Array): readonly string[] {
    return this.#read(this.#decoder.decode(chunk, { stream: true }));
  }

  /** Whether the stream ended within an object. */
  get isCut(): boolean {
    return this.#depth > 0;
  }

  #read(text: string): readonly string[] {
    const found: string[] = [];
    let start = this.#depth > 0 ? 0 : -1;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === backslash) this.#isEscaped = true;
        else if (code === quote) this.#inString = false;
      } else if (code === quote) {
        this.#inString = this.#depth > 0;
      } else if (code === openBrace) {
        if (this.#depth === 0) start = at;
        this.#depth += 1;
      } else if (code === closeBrace && this.#depth > 0) {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        found.push(this.#pieces.join("") + text.slice(start, at + 1));
        this.#pieces = [];
        this.#length = 0;
        start = -1;
      }
    }
    if (start >= 0) this.#keep(text.slice(start));
    return found;
  }

  #keep(piece: string): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length <= mostCharacters) return;
    throw new ProxyError(`The upstream sent an object of more than ${mostCharacters} characters.`, { status: 502, kind: "api_error" });
  }
}
