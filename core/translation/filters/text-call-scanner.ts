/** Finds calls of tools in a text that comes in pieces. Holds back what may be one, and nothing else. */

import { forms, type TextCall, type TextForm } from "./text-call-forms.ts";

export type Segment =
  | { readonly type: "text"; readonly text: string }
  /** @property text that says them */
  | { readonly type: "calls"; readonly text: string; readonly calls: readonly TextCall[] };

/** A fence may stand within a text of the call that it closes, but hardly more often. */
const mostCloses = 32;
/** Who writes that many markers without a call does not mean any; each costs a look at all that follows it. */
const mostFailures = 64;
/** Characters by which a fenced text shows whether it may be a call. */
const telling = 64;

interface OpenForm {
  readonly form: TextForm;
  /** All since the marker, in pieces. */
  readonly pieces: string[];
  characters: number;
  /** The end of them, as long as what closes the form less one. */
  tail: string;
  closes: number;
}

interface Found {
  /** Markers included. */
  readonly text: string;
  readonly body: string;
  readonly isClosed: boolean;
}

export class TextCallScanner {
  readonly #names: ReadonlySet<string>;
  /** What may be the beginning of a marker. */
  #rest = "";
  #open: OpenForm | undefined;
  #failures = 0;

  /** @param names of the tools that may be called */
  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  push(piece: string): readonly Segment[] {
    const segments: Segment[] = [];
    this.#scan(piece, segments);
    return segments;
  }

  /** Call once, after the last piece. */
  end(): readonly Segment[] {
    const segments: Segment[] = [];
    for (let open = this.#open; open !== undefined; open = this.#open) {
      this.#open = undefined;
      const body = open.pieces.join("");
      const left = this.#settle(open.form, { text: open.form.open + body, body, isClosed: false }, segments);
      if (left !== undefined) this.#scan(left, segments);
    }
    if (this.#rest !== "") segments.push({ type: "text", text: this.#rest });
    this.#rest = "";
    return segments;
  }

  #scan(piece: string, segments: Segment[]): void {
    let left: string | undefined = piece;
    while (left !== undefined) left = this.#open === undefined ? this.#search(left, segments) : this.#continue(this.#open, left, segments);
  }

  /** @returns what is to be looked at next; undefined when nothing is left */
  #search(piece: string, segments: Segment[]): string | undefined {
    const text = this.#rest + piece;
    const found = this.#failures < mostFailures ? firstMarker(text) : undefined;
    if (found === undefined) {
      const keep = longestPrefixAtEnd(text);
      this.#rest = text.slice(text.length - keep);
      if (text.length > keep) segments.push({ type: "text", text: text.slice(0, text.length - keep) });
      return undefined;
    }
    this.#rest = "";
    if (found.at > 0) segments.push({ type: "text", text: text.slice(0, found.at) });
    this.#open = { form: found.form, pieces: [], characters: 0, tail: "", closes: 0 };
    return text.slice(found.at + found.form.open.length);
  }

  #continue(open: OpenForm, piece: string, segments: Segment[]): string | undefined {
    const { form, pieces } = open;
    const window = open.tail + piece;
    const at = form.close === undefined ? -1 : window.indexOf(form.close);
    const end = at === -1 ? window.length : at + (form.close?.length ?? 0);
    const added = window.slice(open.tail.length, end);
    pieces.push(added);
    open.characters += added.length;
    if (at === -1) {
      open.tail = window.slice(Math.max(0, window.length - (form.close?.length ?? 1) + 1));
      return this.#doubt(open, segments);
    }
    open.closes += 1;
    open.tail = "";
    const whole = pieces.join("");
    const body = whole.slice(0, whole.length - (form.close?.length ?? 0));
    // A fence within a text of the call: the right one is yet to come.
    if (isFence(form) && open.closes < mostCloses && looksLikeCall(body) && form.read(body, true) === undefined) return window.slice(end);
    this.#open = undefined;
    return (this.#settle(form, { text: form.open + whole, body, isClosed: true }, segments) ?? "") + window.slice(end);
  }

  /** Lets a fenced text go on as soon as it shows that it is no call. */
  #doubt(open: OpenForm, segments: Segment[]): string | undefined {
    const isEarly = open.characters - (open.pieces.at(-1)?.length ?? 0) < telling;
    if (!isFence(open.form) || open.characters < telling || !isEarly) return undefined;
    const body = open.pieces.join("");
    if (looksLikeCall(body)) return undefined;
    this.#open = undefined;
    segments.push({ type: "text", text: open.form.open });
    return body;
  }

  /** @returns what is to be looked at again, behind a marker that was none */
  #settle(form: TextForm, { text, body, isClosed }: Found, segments: Segment[]): string | undefined {
    const calls = form.read(body, isClosed);
    if (calls !== undefined && calls.every(({ name }) => this.#names.has(name))) {
      segments.push({ type: "calls", text, calls });
      return undefined;
    }
    this.#failures += 1;
    segments.push({ type: "text", text: form.open });
    return text.slice(form.open.length);
  }
}

function isFence(form: TextForm): boolean {
  return form.open.startsWith("`");
}

function looksLikeCall(body: string): boolean {
  return /^\s*(?:\[\s*)?\{\s*["'](?:name|arguments|parameters|function|type|id)["']/.test(body.slice(0, 200));
}

function firstMarker(text: string): { readonly form: TextForm; readonly at: number } | undefined {
  let first: { readonly form: TextForm; readonly at: number } | undefined;
  for (const form of forms) {
    const at = text.indexOf(form.open);
    if (at !== -1 && (first === undefined || at < first.at)) first = { form, at };
  }
  return first;
}

/** How much of the end may be the beginning of a marker. */
function longestPrefixAtEnd(text: string): number {
  let longest = 0;
  for (const { open } of forms) {
    for (let length = Math.min(open.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(open.slice(0, length))) {
        longest = length;
        break;
      }
    }
  }
  return longest;
}
