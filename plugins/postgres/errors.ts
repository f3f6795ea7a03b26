/** What goes wrong with a database, told without what must not be told. */

import { DatabaseError } from "pg";

/** Says where and what; holds no password, no rows and no cause that could. */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  /** SQLSTATE of PostgreSQL; undefined where it was not the server that said so. */
  readonly code: string | undefined;
  /** Of a constraint that was hurt. */
  readonly constraint: string | undefined;

  constructor(message: string, code?: string, constraint?: string) {
    super(message);
    this.code = code;
    this.constraint = constraint;
  }

  /** Whether the connection or the server failed, not the statement. */
  get isConnectionLoss(): boolean {
    // 08: connection; 53: no resources; 57P: the server shuts down or starts.
    return this.code === undefined || /^(?:08|53|57P)/.test(this.code);
  }

  /** Whether the same transaction may succeed when it is repeated. */
  get isTransient(): boolean {
    return this.code === "40P01" || this.code === "40001";
  }
}

const outOfRange = "22003";

/** Makes errors of one database. */
export type Explain = (error: unknown) => PostgresError;

/**
 * @param where host, port and name of the database
 * @param secrets texts that appear in no message
 */
export function explainer(where: string, secrets: readonly string[]): Explain {
  const hide = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  return (error) => {
    if (error instanceof PostgresError) return error;
    if (error instanceof DatabaseError)
      return new PostgresError(hide(`PostgreSQL (${where}): ${error.message}`), error.code, error.constraint);
    if (error instanceof RangeError) return new PostgresError(`PostgreSQL (${where}): ${error.message}`, outOfRange);
    return new PostgresError(hide(`PostgreSQL (${where}) cannot be reached: ${reasonOf(error)}`));
  };
}

function reasonOf(error: unknown): string {
  // Of several addresses, each has failed for itself, and the whole says nothing.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
