/** The plugins of a proxy for which an upstream on loopback is the vendor's own host. */

import { builtinPlugins } from "../../plugins/index.ts";
import { createAnthropicPlugin } from "../../plugins/anthropic/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";

/** @param origin of the upstream, e.g. `http://127.0.0.1:40123` */
export function vendorPlugins(origin: string): readonly Plugin[] {
  const anthropic = createAnthropicPlugin({ apiBase: origin, ownsUrl: (url) => url.origin === origin });
  return builtinPlugins.map((plugin) => (plugin.name === anthropic.name ? anthropic : plugin));
}
