/** A logger that keeps what it is told. */

import type { LogFields, Logger } from "../../sdk/log.ts";

export interface KeptLog {
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
  readonly logger: Logger;
}

export function keepLog(): KeptLog {
  const lines: KeptLog["lines"] = [];
  const at =
    (level: string) =>
    (fields: LogFields, message = ""): void =>
      void lines.push({ level, fields, message });
  return { lines, logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}
