/** Folders that are shipped as they stand in the checkout, found from the sources and from the build alike. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @param name relative to the package, e.g. `cli/templates`
 * @returns ends with a slash
 * @throws Error when the package is not complete
 */
export function packagedFolder(name: string): URL {
  // The build is one folder deeper than the sources.
  const folder = new URL(`${import.meta.url.endsWith(".ts") ? ".." : "../.."}/${name}/`, import.meta.url);
  if (!existsSync(folder)) throw new Error(`a part of ccproxy is missing (${fileURLToPath(folder)}); install it again`);
  return folder;
}
