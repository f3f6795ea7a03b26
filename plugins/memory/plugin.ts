/** In the memory of one process. */

import { definePlugin, type Plugin } from "../../sdk/plugin.ts";

export const memory: Plugin = definePlugin({
  name: "memory",
  setup: () => ({ engines: { memory: async (options) => (await import("./index.ts")).openMemory(options) } }),
});
