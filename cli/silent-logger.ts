/** A log that nobody reads, for commands that use parts of the server. */

import type { Logger } from "../sdk/log.ts";

const nothing = (): void => undefined;

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
