/** The logger handed to plugins and used throughout: structured, redacted, never throwing. */

export interface Logger {
  debug(fields: LogFields, message?: string): void;
  info(fields: LogFields, message?: string): void;
  warn(fields: LogFields, message?: string): void;
  error(fields: LogFields, message?: string): void;
}

export type LogFields = Readonly<Record<string, unknown>>;
