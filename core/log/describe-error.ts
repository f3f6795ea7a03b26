/** Turns errors into plain data for the log. */

/** How many links of a chain of causes are written. */
const maxCauses = 5;

export interface DescribedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: unknown;
}

/** Name, message, code, stack and causes of an error. Other own fields stay out: they may hold whole requests. */
export function describeError(error: Error, depth: number = 0): DescribedError {
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(error.cause !== undefined && depth < maxCauses && { cause: describeCause(error.cause, depth) }),
  };
}

function describeCause(cause: unknown, depth: number): unknown {
  return cause instanceof Error ? describeError(cause, depth + 1) : String(cause);
}
