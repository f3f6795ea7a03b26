/** The built-in strategies: LiteLLM's, under its names. */

import { definePlugin, type Plugin } from "../../sdk/plugin.ts";
import { costBasedRouting } from "./cost-based-routing.ts";
import { latencyBasedRouting } from "./latency-based-routing.ts";
import { leastBusy } from "./least-busy.ts";
import { simpleShuffle } from "./simple-shuffle.ts";
import { usageBasedRouting, usageBasedRoutingV2 } from "./usage-based-routing.ts";

export const strategies: Plugin = definePlugin({
  name: "strategies",
  setup: () => ({
    strategies: [simpleShuffle, leastBusy, latencyBasedRouting, usageBasedRoutingV2, usageBasedRouting, costBasedRouting],
  }),
});
