/** The Chat Completions protocol, as OpenAI's clients speak it and as most other hosts serve it. */

import type { Dialect } from "../../sdk/dialect.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import { adapt } from "./adapt.ts";
import { decodeError } from "./errors.ts";
import { encodeRequest } from "./request.ts";
import { dialectName } from "./wire.ts";

const dialect: Dialect = {
  name: dialectName,
  wire: { encode: encodeRequest, adapt, decodeError },
};

export const openaiChat: Plugin = definePlugin({ name: dialectName, setup: () => ({ dialects: [dialect] }) });
