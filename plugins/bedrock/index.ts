/** Amazon Bedrock: the Converse wire, and the provider, which also speaks the Messages wire for models of Claude. */

import type { Dialect } from "../../sdk/dialect.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import { decodeError } from "./errors.ts";
import { type BedrockOptions, createBedrockProvider } from "./provider.ts";
import { encode } from "./request.ts";

/** No client speaks it to the proxy, so that there is nothing to pass on as it came. */
const converse: Dialect = {
  name: "bedrock-converse",
  wire: { encode, adapt: (body) => body, decodeError },
};

/** @param options for tests: another clock, other credentials */
export function createBedrockPlugin(options: BedrockOptions = {}): Plugin {
  return definePlugin({
    name: "bedrock",
    setup: () => ({ dialects: [converse], providers: [createBedrockProvider(options)] }),
  });
}

export const bedrock: Plugin = createBedrockPlugin();
