/** On a Redis server; its client is loaded when it is wanted. */

import { definePlugin, type Plugin } from "../../sdk/plugin.ts";

export const redis: Plugin = definePlugin({
  name: "redis",
  setup: () => ({ engines: { redis: async (options) => (await import("./index.ts")).openRedis(options) } }),
});
