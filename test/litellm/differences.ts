/** Reads docs/litellm-differences.md, and judges what both sides did by it. */

import { readFileSync } from "node:fs";

export interface Difference {
  /** Of the case. */
  readonly name: string;
  readonly litellm: string;
  readonly ccproxy: string;
  readonly why: string;
}

const file = new URL("../../docs/litellm-differences.md", import.meta.url);

/** @returns the rows of its tables by the name of the case. @throws Error for a row that says nothing, or a case listed twice */
export function readDifferences(markdown: string = readFileSync(file, "utf8")): ReadonlyMap<string, Difference> {
  const listed = new Map<string, Difference>();
  for (const line of markdown.split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    // A row begins and ends with a bar; those of the head have no code in them.
    if (cells.length !== 6 || !(cells[2] ?? "").startsWith("`")) continue;
    const [, name = "", litellm = "", ccproxy = "", why = ""] = cells;
    if (name === "" || why === "") throw new Error(`a difference needs a name and a reason: ${line}`);
    if (listed.has(name)) throw new Error(`"${name}" is listed twice`);
    listed.set(name, { name, litellm: bare(litellm), ccproxy: bare(ccproxy), why });
  }
  return listed;
}

function bare(code: string): string {
  return code.replaceAll("`", "");
}

/** @returns what is wrong, in one line; undefined where both did the same, or differed as is written. */
export function judge(did: { readonly litellm: string; readonly ccproxy: string }, listed: Difference | undefined): string | undefined {
  const { litellm, ccproxy } = did;
  if (listed === undefined) {
    if (litellm === ccproxy) return undefined;
    return `differs, and docs/litellm-differences.md does not say why:\n  LiteLLM  ${litellm}\n  ccproxy  ${ccproxy}`;
  }
  if (litellm === ccproxy) return `is listed in docs/litellm-differences.md, but both do the same: ${ccproxy}`;
  if (litellm !== listed.litellm) return `LiteLLM does\n  ${litellm}\nand docs/litellm-differences.md says\n  ${listed.litellm}`;
  if (ccproxy !== listed.ccproxy) return `ccproxy does\n  ${ccproxy}\nand docs/litellm-differences.md says\n  ${listed.ccproxy}`;
  return undefined;
}
