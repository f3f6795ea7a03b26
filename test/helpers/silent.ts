/** A logger for what is not looked at. */

import type { Logger } from "../../sdk/log.ts";

const nothing = (): void => undefined;

export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
