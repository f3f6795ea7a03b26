/** Wildcards in `model_name`: `anthropic/*`, `claude-*`, `*`. */

export interface Pattern {
  readonly text: string;
  /** What the stars matched, in order; undefined when the name does not match. */
  match(name: string): readonly string[] | undefined;
}

/** Compiles a name with stars into a linear matcher; each star matches the shortest run that lets the rest match. */
export function createPattern(text: string): Pattern {
  const pieces = text.split("*");
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  return {
    text,
    match(name) {
      if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return undefined;
      const end = name.length - last.length;
      const captured: string[] = [];
      let position = first.length;
      for (const piece of pieces.slice(1, -1)) {
        const found = name.indexOf(piece, position);
        if (found < 0 || found + piece.length > end) return undefined;
        captured.push(name.slice(position, found));
        position = found + piece.length;
      }
      captured.push(name.slice(position, end));
      return captured;
    },
  };
}

/** Puts what the stars matched in place of the stars of another text. */
export function fillPattern(text: string, captured: readonly string[]): string {
  let index = 0;
  return text.replaceAll("*", () => captured[index++] ?? "");
}

/** More literal characters first, so that `claude-opus-*` is tried before `claude-*` and `*`. */
export function bySpecificity(a: { readonly text: string }, b: { readonly text: string }): number {
  return b.text.replaceAll("*", "").length - a.text.replaceAll("*", "").length || (a.text < b.text ? -1 : 1);
}
