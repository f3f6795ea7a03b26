/** The structured log: JSON lines to a rotating file, readable lines to a terminal, secrets in neither. */

import type { Writable } from "node:stream";
import { pino } from "pino";
import type { LogFields, Logger } from "../../sdk/log.ts";
import type { LogConfig } from "../config/types.ts";
import { describeError } from "./describe-error.ts";
import { formatLogLine } from "./human.ts";
import { createRedactor } from "./redact.ts";
import { createRotatingFile, type RotatingFileOptions } from "./rotating-file.ts";

export interface LogOptions {
  readonly level: LogConfig["level"];
  readonly file?: RotatingFileOptions;
  /** In place of a file: whoever writes it takes the lines. */
  readonly sink?: ((line: string) => void) | undefined;
  /** Where readable lines go; `true` is standard error. Colour follows the stream and NO_COLOR. */
  readonly terminal?: boolean | Writable;
  /** Every value that must not appear. Asked for each line; return the same array while nothing changed. */
  readonly secrets: () => readonly string[];
}

export interface Log {
  readonly logger: Logger;
  /** A line as another process has made it, without secrets. */
  append(line: string): void;
  /** For a reload that changes the level. */
  setLevel(level: LogConfig["level"]): void;
  /** Settles once all lines so far are in the file. */
  flush(): Promise<void>;
  /** Writes what is left and lets go of the file. Lines logged afterwards are lost. */
  close(): Promise<void>;
}

/** Lines for the file alone are made in batches: one at a time, each would cost its request several times as much. */
const gatherMs = 100;

interface Entry {
  readonly level: LogConfig["level"];
  readonly at: number;
  readonly fields: LogFields;
  readonly message: string | undefined;
}

/** Makes a log. Nothing that is logged, and nothing that happens to the file, makes a call throw. */
export function createLogger(options: LogOptions): Log {
  const terminal = options.terminal === true ? process.stderr : options.terminal || undefined;
  let entries: Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lineAt = 0;
  let redactor: { readonly of: readonly string[]; readonly redact: (text: string) => string } | undefined;
  // Before the file's own last words, which are to hold these.
  process.on("exit", writeEntries);
  const file = options.file && createRotatingFile(options.file);
  const { sink } = options;

  function redact(line: string): string {
    const secrets = options.secrets();
    if (redactor?.of !== secrets) redactor = { of: secrets, redact: createRedactor(secrets) };
    return redactor.redact(line);
  }

  const destination = {
    write(line: string): void {
      const safe = redact(line);
      file?.write(safe);
      sink?.(safe);
      if (terminal !== undefined) terminal.write(`${formatLogLine(safe, terminal)}\n`);
    },
  };
  const timestamp = (): string => `,"time":"${new Date(lineAt).toISOString()}"`;
  const writer = pino({ level: options.level, base: null, timestamp, formatters: { level: (level) => ({ level }) } }, destination);

  function writeEntry({ level, at, fields, message }: Entry): void {
    lineAt = at;
    try {
      writer[level](withPlainErrors(fields), message);
    } catch (error) {
      writer[level]({ unloggable: String(error) }, message);
    }
  }

  function writeEntries(): void {
    clearTimeout(timer);
    timer = undefined;
    const waiting = entries;
    entries = [];
    for (const entry of waiting) writeEntry(entry);
  }

  const at =
    (level: LogConfig["level"]) =>
    (fields: LogFields, message?: string): void => {
      if (!writer.isLevelEnabled(level)) return;
      const entry = { level, at: Date.now(), fields, message };
      if (terminal !== undefined) {
        writeEntry(entry);
        return;
      }
      entries.push(entry);
      timer ??= setTimeout(writeEntries, gatherMs).unref();
    };
  return {
    logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    append(line) {
      file?.write(line);
      if (terminal !== undefined) terminal.write(`${formatLogLine(line, terminal)}\n`);
    },
    setLevel(level) {
      writer.level = level;
    },
    async flush() {
      writeEntries();
      await file?.flush();
    },
    async close() {
      writeEntries();
      process.off("exit", writeEntries);
      await file?.close();
    },
  };
}

function withPlainErrors(fields: LogFields): LogFields {
  let plain: Record<string, unknown> | undefined;
  for (const name in fields) {
    const value = fields[name];
    if (!(value instanceof Error)) continue;
    plain ??= { ...fields };
    plain[name] = describeError(value);
  }
  return plain ?? fields;
}
