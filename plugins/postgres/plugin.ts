/** On a PostgreSQL server; its client is loaded when it is wanted. */

import { definePlugin, type Plugin } from "../../sdk/plugin.ts";

export const postgres: Plugin = definePlugin({
  name: "postgres",
  setup: () => ({ engines: { postgres: async (options) => (await import("./index.ts")).openPostgres(options) } }),
});
