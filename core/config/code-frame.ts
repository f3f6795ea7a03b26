/** A line of a file with a caret under one of its columns, as it stands under an error. */

import { printable } from "./describe.ts";

const maxFrameColumns = 100;
/** Nobody reads a line of this length; masking it would take long. */
export const maxFrameLine = 10_000;

/** How a part of the frame is to be shown, e.g. in colour. */
export type PaintFrame = (part: "margin" | "caret", text: string) => string;

/**
 * Two lines without a line feed at the end; empty text where there is nothing to show.
 *
 * @param text   the line, credentials already masked
 * @param line   its number, counted from 1
 * @param column counted from 1; one beyond the end of the text is moved there
 */
export function drawFrame(text: string, line: number, column: number, paint: PaintFrame = (_, part) => part): string {
  if (text.trim() === "" || text.length > maxFrameLine) return "";
  // A mask may end before the caret would stand.
  const caret = Math.min(column - 1, text.length);
  const start = caret > maxFrameColumns - 20 ? caret - 40 : 0;
  const cut = Array.from(text.slice(start, start + maxFrameColumns), (character) =>
    printable(character) === character ? character : " ",
  ).join("");
  const margin = String(line);
  const blank = " ".repeat(margin.length);
  return `  ${paint("margin", `${margin} |`)} ${cut}\n  ${paint("margin", `${blank} |`)} ${" ".repeat(caret - start)}${paint("caret", "^")}`;
}
