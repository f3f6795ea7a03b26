/** The built-in plugins, one a line: the only place that names them. */

import type { Plugin } from "../sdk/plugin.ts";
import { anthropic } from "./anthropic/index.ts";
import { azure } from "./azure/index.ts";
import { bedrock } from "./bedrock/index.ts";
import { gemini } from "./gemini/index.ts";
import { openaiChat } from "./openai-chat/index.ts";
import { openaiCompatible } from "./openai-compatible/index.ts";
import { rules } from "./rules/index.ts";
import { vertex } from "./vertex/index.ts";

export const builtinPlugins: readonly Plugin[] = [anthropic, openaiChat, gemini, openaiCompatible, azure, bedrock, vertex, rules];
