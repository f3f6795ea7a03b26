/** In one file. */

import { definePlugin, type Plugin } from "../../sdk/plugin.ts";

export const sqlite: Plugin = definePlugin({
  name: "sqlite",
  setup: () => ({ engines: { sqlite: async (options) => (await import("./index.ts")).openSqlite(options) } }),
});
