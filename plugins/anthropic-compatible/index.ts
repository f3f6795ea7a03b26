/** Everyone else who speaks Anthropic Messages: a table of hosts, and what each of them takes. */

import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import { createProvider } from "./create-provider.ts";
import { messagesHosts } from "./hosts.ts";

export const anthropicCompatible: Plugin = definePlugin({
  name: "anthropic-compatible",
  setup: () => ({ providers: messagesHosts.map(createProvider) }),
});
