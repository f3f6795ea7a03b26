/** cosmiconfig with its teeth drawn: it finds files and hands over their text, and can neither run nor follow anything. */

import { basename } from "node:path";
import { cosmiconfig, type LoaderSync, type PublicExplorer } from "cosmiconfig";
import { createRequestBody } from "../body/request-body.ts";
import type { Origin } from "./source.ts";

/** The text of a file, or of the part of it that is ours. */
export interface FoundText {
  readonly content: string;
  readonly origin: Origin;
}

/** An explorer for one folder, without its parents. Its results hold a {@link FoundText}. */
export function createExplorer(name: string, searchPlaces: readonly string[]): PublicExplorer {
  return inOwnFolder(() =>
    cosmiconfig(name, {
      searchPlaces: [...searchPlaces],
      searchStrategy: "none",
      cache: false,
      packageProp: name,
      // The defaults stay in the table, so each that would run code is replaced by name. What the others return is
      // wrapped, so that cosmiconfig never sees a `$import` to follow.
      loaders: {
        ".js": refuse,
        ".cjs": refuse,
        ".mjs": refuse,
        ".ts": refuse,
        ".cts": refuse,
        ".mts": refuse,
        ".json": (file, text) => (basename(file) === "package.json" ? readPackage(name, text) : wholeText(text)),
        ".yaml": (_, text) => wholeText(text),
        ".yml": (_, text) => wholeText(text),
        noExt: (_, text) => wholeText(text),
      },
    }),
  );
}

/**
 * cosmiconfig looks for options of its own in the current folder whenever an explorer is made, and for that it RUNS
 * `.config/config.js` (also `.ts`, `.cjs`, `.mjs`) and obeys `cosmiconfig` in package.json. In a cloned repository that
 * is foreign code. It has no switch for this, so the explorer is made while the current folder is one of ours.
 * No await in between: nothing else runs meanwhile.
 */
function inOwnFolder<Value>(make: () => Value): Value {
  const before = process.cwd();
  process.chdir(import.meta.dirname);
  try {
    return make();
  } finally {
    process.chdir(before);
  }
}

const refuse: LoaderSync = (file) => {
  throw new Error(`${file} is code; only YAML and JSON are read.`);
};

function wholeText(text: string): FoundText {
  return { content: text.replace(/^\uFEFF/, ""), origin: { line: 1, column: 1 } };
}

/** The text of our part of package.json, so that a change elsewhere in it is no change of ours. */
function readPackage(name: string, text: string): Record<string, FoundText> {
  try {
    const bytes = Buffer.from(text.replace(/^\uFEFF/, ""));
    const body = createRequestBody(bytes);
    const span = body.field(name);
    if (span === undefined) return {};
    const before = bytes.toString("utf8", 0, span.start);
    const lastLine = before.slice(before.lastIndexOf("\n") + 1);
    const origin = { line: before.split("\n").length, column: lastLine.length + 1 };
    return { [name]: { content: bytes.toString("utf8", span.start, span.end), origin } };
  } catch {
    // A broken package.json is for others to complain about.
    return {};
  }
}
