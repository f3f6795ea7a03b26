/** A logger for what is made before the log is open: it keeps the lines and hands them on. */

import type { LogFields, Logger } from "../../sdk/log.ts";

export interface LateLogger extends Logger {
  /** From here on lines go there, those kept first. */
  attach(logger: Logger): void;
}

const maxKept = 200;

type Level = "debug" | "info" | "warn" | "error";

export function createLateLogger(): LateLogger {
  let target: Logger | undefined;
  let kept: { readonly level: Level; readonly fields: LogFields; readonly message: string | undefined }[] = [];
  const at =
    (level: Level) =>
    (fields: LogFields, message?: string): void => {
      if (target !== undefined) target[level](fields, message);
      else if (kept.length < maxKept) kept.push({ level, fields, message });
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    attach(logger) {
      target = logger;
      for (const { level, fields, message } of kept) logger[level](fields, message);
      kept = [];
    },
  };
}
