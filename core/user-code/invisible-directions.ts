/** Finds characters that make code read otherwise than it runs. */

import type { PartialMessage } from "esbuild";

// Marks that turn the direction of writing, alone or for a stretch.
const directions = /[\u202a-\u202e\u2066-\u2069]/;

/** One warning for the first of them. */
export function checkDirections(text: string, file: string): PartialMessage[] {
  const at = text.search(directions);
  if (at < 0) return [];
  const before = text.slice(0, at).split("\n");
  const column = Buffer.byteLength(before.at(-1) ?? "");
  const code = `U+${text.charCodeAt(at).toString(16).toUpperCase()}`;
  const message = `holds the invisible character ${code}, which reorders what an editor shows: the code may not be what it looks like. Write it as an escape.`;
  const lineText = text.split("\n", before.length)[before.length - 1] ?? "";
  return [{ text: message, location: { file, namespace: "user", line: before.length, column, lineText } }];
}
