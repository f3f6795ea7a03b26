/** Every provider that speaks OpenAI's protocols. A new one is one row in the file that it belongs to. */

import { clouds } from "./clouds.ts";
import { gateways } from "./gateways.ts";
import { inference } from "./inference.ts";
import { labs } from "./labs.ts";
import { local } from "./local.ts";
import { openai } from "./openai.ts";
import type { Row } from "./row.ts";
import { smallerHosts } from "./smaller-hosts.ts";

export const rows: readonly Row[] = [openai, ...labs, ...inference, ...smallerHosts, ...clouds, ...gateways, ...local];
