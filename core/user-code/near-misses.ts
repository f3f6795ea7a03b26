/** Files with names near to one that does not exist. */

import { access, readdir } from "node:fs/promises";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { didYouMean } from "../config/suggest.ts";

/** A file of the user's that can be a rule, a hook, or imported by one. */
export const codeEndings: readonly string[] = [".ts", ".mts", ".js", ".mjs"];

/**
 * ` Did you mean "./util"?` with its leading space, or nothing.
 *
 * @param path what was asked for, absolute, with or without an ending
 * @param from folder that the answer is relative to
 */
export async function similarFiles(path: string, from: string): Promise<string> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const wanted = basename(path);
  // Any letter is near to any other.
  if (basename(wanted, extname(wanted)).length < 3) return "";
  const near = names.filter((name) => extname(name) === ".json" || codeEndings.includes(extname(name)));
  const asked = extname(wanted) === "" ? near.map((name) => name.slice(0, -extname(name).length)) : near;
  const way = relative(from, folder).split(sep).join("/");
  const prefix = way === "" ? "./" : way.startsWith("..") ? `${way}/` : `./${way}/`;
  return didYouMean(
    wanted,
    asked.filter((name) => name !== wanted),
  ).replace('"', `"${prefix}`);
}

/**
 * What a dotted reference may have meant: `rules.vip` the default export of rules/vip.ts, `vip.Rule` an export of it.
 *
 * @param root the user's folder
 */
export async function otherPlaces(reference: string, root: string): Promise<string> {
  const dotted = reference.replaceAll(":", ".");
  const whole = await existing(root, dotted.replaceAll(".", "/"));
  if (whole !== undefined) return ` For the default export of that file write "./${whole}".`;
  const at = dotted.lastIndexOf(".");
  for (const folder of ["rules", "hooks"]) {
    const file = await existing(root, `${folder}/${dotted.slice(0, Math.max(at, 0)).replaceAll(".", "/")}`);
    if (file !== undefined) return ` Did you mean "${folder}.${dotted}"?`;
  }
  return "";
}

async function existing(root: string, path: string): Promise<string | undefined> {
  for (const ending of codeEndings) {
    const isThere = await access(join(root, `${path}${ending}`)).then(
      () => true,
      () => false,
    );
    if (isThere) return `${path}${ending}`;
  }
  return undefined;
}
