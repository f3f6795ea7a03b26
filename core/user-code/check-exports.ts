/** Finds out whether a file exports what its entry names. */

import { listWords } from "../config/check.ts";
import { quote } from "../config/describe.ts";
import { didYouMean } from "../config/suggest.ts";
import type { BundleCache } from "./bundle-cache.ts";
import type { Entry } from "./bundle-plugin.ts";
import type { Bundle } from "./bundle.ts";
import { isModuleOfNames, surelyExports } from "./export-names.ts";

const maxShown = 12;

/**
 * Undefined when it does, or when only running it can tell.
 *
 * @returns what is wrong, beginning with the file's name
 */
export async function missingExport(
  { name, code }: Bundle,
  exportName: string,
  entry: Entry,
  compilerOptions: string,
  cache: Pick<BundleCache, "exports">,
): Promise<string | undefined> {
  if (surelyExports(code, exportName) || !isModuleOfNames(code)) return undefined;
  const names = await cache.exports(entry, compilerOptions);
  if (names === undefined || names.includes(exportName)) return undefined;
  const others = names.filter((other) => other !== "default");
  const has = names.length === 0 ? "it exports nothing" : `it exports ${listWords(names.slice(0, maxShown))}`;
  if (exportName === "default") {
    const [first] = others;
    const advice = first === undefined ? "" : `, or name the export as in ${quote(`./${name}:${first}`)}`;
    return `${name} has no default export; ${has}. Write "export default" before the rule or hook${advice}.`;
  }
  const advice = others.length === 0 && names.length === 1 ? ` Write ${quote(`./${name}`)} for the default export.` : "";
  return `${name} has no export ${quote(exportName)}; ${has}.${didYouMean(exportName, names) || advice}`;
}
