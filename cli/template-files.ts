/** The files a new configuration folder starts with. */

import { readFileSync } from "node:fs";
import { packagedFolder } from "./packaged-folder.ts";

/** In the order in which they are written. */
const names = ["ccproxy.yaml", "config.yaml", "README.md", "rules/README.md", "hooks/README.md", "tsconfig.json"];

export interface TemplateFile {
  /** Relative, with `/`. */
  readonly name: string;
  readonly text: string;
}

/** Reads the templates, which are shipped as they stand in `cli/templates`. */
export function readTemplates(): readonly TemplateFile[] {
  const folder = packagedFolder("cli/templates");
  return names.map((name) => ({ name, text: readFileSync(new URL(name, folder), "utf8") }));
}
