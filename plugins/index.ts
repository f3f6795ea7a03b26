/** The built-in plugins, one a line: the only place that names them. */

import type { Plugin } from "../sdk/plugin.ts";

export const builtinPlugins: readonly Plugin[] = [];
