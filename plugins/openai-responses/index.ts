/** The OpenAI Responses protocol, as its vendor and a growing number of hosts serve it. */

import type { Dialect } from "../../sdk/dialect.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import type { Wire } from "../../sdk/wire.ts";
import { decodeError } from "./errors.ts";
import { adapt, encode } from "./request.ts";
import { dialectName } from "./wire.ts";

const wire: Wire = { encode, adapt, decodeError };

export const dialect: Dialect = { name: dialectName, wire };

export const openaiResponses: Plugin = definePlugin({ name: dialectName, setup: () => ({ dialects: [dialect] }) });
