/** What running user code needs from the rest of the proxy. */

import type { Logger } from "../../sdk/log.ts";
import type { Exchange } from "../exchange.ts";
import type { UnitStores, Writes } from "../sandbox/protocol.ts";
import type { OperationRunner } from "../sandbox/sandbox.ts";
import type { FailureLog } from "./failure-log.ts";
import type { LoadedUnit } from "./user-program.ts";

/** What is kept for user code, and what is done on its behalf. */
export interface Capabilities {
  /** State of the file in this session and locals of the file in this exchange; undefined when both are empty. */
  stores(exchange: Exchange, unit: LoadedUnit): UnitStores | undefined;
  /** @param units those that may ask, by their index in the program */
  operations(exchange: Exchange, units: readonly LoadedUnit[]): OperationRunner;
  /** Brings state, locals, kv writes and log lines of one outcome into effect. Called once per outcome; never rejects. */
  commit(exchange: Exchange, unit: LoadedUnit, writes: Writes): void | Promise<void>;
}

export interface PhaseServices {
  readonly logger: Logger;
  readonly capabilities: Capabilities;
  readonly failures: FailureLog;
  /** Takes every known secret out of a text. */
  readonly redact: (text: string) => string;
  /** ms since 1970. */
  readonly wallClock: () => number;
}
