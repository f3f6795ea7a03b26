/** Text for people: paths with ~, colours where they show, tables that fit. */

import { homedir } from "node:os";
import { sep } from "node:path";
import type { Writable } from "node:stream";
import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Colours for one stream; none where it is no terminal or NO_COLOR is set. */
export function painter(stream: Writable): Paint {
  return (style, text) => styleText(style, text, { stream });
}

/** A path as people write it. */
export function shortPath(path: string): string {
  const home = homedir();
  if (path === home) return "~";
  return path.startsWith(home + sep) ? `~${path.slice(home.length)}` : path;
}

/** Rows in columns, two blanks apart; columns without any text are left out. Lines end without blanks. */
export function table(rows: readonly (readonly string[])[], indent: string = ""): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
  }
  return rows
    .map((row) => row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell))))
    .map((cells) => indent + cells.filter((_cell, column) => widths[column] !== 0).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Parts joined by blanks, broken into lines of a width; a part that is longer has a line of its own. */
export function wrap(parts: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(last) + 1 + displayWidth(part) <= width) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(part);
  }
  return lines;
}

/** Characters without their colours. */
function displayWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** e.g. `3 d 4 h`, `12 min`, `8 s`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
