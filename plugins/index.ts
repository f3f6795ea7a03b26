/** The built-in plugins, one a line: the only place that names them. */

import type { Plugin } from "../sdk/plugin.ts";
import { anthropic } from "./anthropic/index.ts";
import { anthropicCompatible } from "./anthropic-compatible/index.ts";
import { azure } from "./azure/index.ts";
import { bedrock } from "./bedrock/index.ts";
import { gemini } from "./gemini/index.ts";
import { memory } from "./memory/plugin.ts";
import { openaiChat } from "./openai-chat/index.ts";
import { openaiCompatible } from "./openai-compatible/index.ts";
import { openaiResponses } from "./openai-responses/index.ts";
import { postgres } from "./postgres/plugin.ts";
import { redis } from "./redis/plugin.ts";
import { rules } from "./rules/index.ts";
import { sqlite } from "./sqlite/plugin.ts";
import { strategies } from "./strategies/index.ts";
import { vertex } from "./vertex/index.ts";

/** Dialects and their vendors first, then hosts, the more particular ones before those that take anything. */
export const builtinPlugins: readonly Plugin[] = [
  anthropic,
  openaiChat,
  openaiResponses,
  gemini,
  openaiCompatible,
  anthropicCompatible,
  azure,
  bedrock,
  vertex,
  rules,
  strategies,
  memory,
  sqlite,
  postgres,
  redis,
];
