/** The files a new configuration folder starts with. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** In the order in which they are written. */
const names = ["ccproxy.yaml", "config.yaml", "README.md", "rules/README.md", "hooks/README.md"];

export interface TemplateFile {
  /** Relative, with `/`. */
  readonly name: string;
  readonly text: string;
}

/** Reads the templates, which are shipped as they stand in `cli/templates`, beside the sources and beside the build alike. */
export function readTemplates(): readonly TemplateFile[] {
  const folders = [new URL("./templates/", import.meta.url), new URL("../../cli/templates/", import.meta.url)];
  const folder = folders.find((url) => existsSync(url));
  if (folder === undefined)
    throw new Error(`the templates are missing (${folders.map((url) => fileURLToPath(url)).join(", ")}); install ccproxy again`);
  return names.map((name) => ({ name, text: readFileSync(new URL(name, folder), "utf8") }));
}
