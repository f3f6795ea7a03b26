/** Providers that speak OpenAI's protocols: OpenAI itself, and the table of all that are compatible with it. */

import { definePlugin, type Plugin } from "../../sdk/plugin.ts";
import { createProvider } from "./create-provider.ts";
import { rows } from "./table.ts";
import { unservedProviders } from "./unserved.ts";

export const openaiCompatible: Plugin = definePlugin({
  name: "openai-compatible",
  setup: () => ({ providers: [...rows.map(createProvider), ...unservedProviders] }),
});
