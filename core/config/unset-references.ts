/** What it means, at its place, that a variable named by `os.environ/NAME` is not set. */

import type { Report } from "./report.ts";
import { pathText, type Tree } from "./tree.ts";
import { isListOfKeys, type Reference } from "./variables.ts";

/** An unset variable is a warning, as in LiteLLM, but for the places where going on would be unsafe. */
export function reportUnset(tree: Tree, references: readonly Reference[], report: Report): void {
  for (const { path, name, value } of references) {
    // That section reports its own.
    if (value !== undefined || path[0] === "environment_variables") continue;
    const place = { tree, path };
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      // Not repeated: some write the key itself there.
      report.error(place, "has no name of a variable after os.environ/; names are letters, digits and underscores.");
      continue;
    }
    const key = path.at(-1);
    if (pathText(path) === "general_settings.master_key") {
      report.error(
        place,
        `refers to ${name}, which is not set; without it the server would ask nobody for a key. Set it, or remove master_key.`,
      );
    } else if (key === "api_base" || key === "base_url") {
      report.error(place, `refers to ${name}, which is not set; without it requests and keys would go to another host. Set it.`);
    } else if (isListOfKeys(path.slice(0, -1))) {
      report.warning(place, `refers to ${name}, which is not set; it is left out until it is.`);
    } else if (key === "api_key") {
      report.warning(place, `refers to ${name}, which is not set; requests to this deployment go without a key of its own until it is.`);
    } else {
      report.warning(place, `refers to ${name}, which is not set; the key counts as empty.`);
    }
  }
}
