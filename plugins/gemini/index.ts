/** Google's generateContent, as a client's dialect and as a provider's, and Google AI Studio, which speaks it. */

import type { Dialect } from "../../sdk/dialect.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import { adapt } from "./adapt.ts";
import { decodeError } from "./errors.ts";
import { ingress } from "./ingress.ts";
import { provider } from "./provider.ts";
import { encode } from "./request.ts";

const dialect: Dialect = { name: "gemini", ingress, wire: { encode, adapt, decodeError } };

export const gemini: Plugin = definePlugin({ name: "gemini", setup: () => ({ dialects: [dialect], providers: [provider] }) });
