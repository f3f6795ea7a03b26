/** What goes wrong with a Redis server, told without what must not be told. */

/** Says where and what. Has no cause: the errors of the client carry the arguments of commands, passwords among them. */
export class RedisError extends Error {
  override readonly name = "RedisError";
  /** First word of what the server said, e.g. `LOADING`, `OOM`, `WRONGPASS`; undefined where it said nothing. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Makes errors of one server. */
export type Explain = (error: unknown) => RedisError;

/**
 * @param where host and port of the server
 * @param secrets texts that appear in no message
 * @param whyAway what the connection failed with last, for commands that were refused without one
 */
export function explainer(where: string, secrets: readonly string[], whyAway: () => unknown): Explain {
  const hide = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  return (error) => {
    if (error instanceof RedisError) return error;
    const reason = isRefusal(error) ? (whyAway() ?? "there is no connection") : error;
    if (reason instanceof Error && reason.name === "ReplyError")
      return new RedisError(hide(`Redis (${where}): ${reason.message}`), /^[A-Z]+/.exec(reason.message)?.[0]);
    return new RedisError(hide(`Redis (${where}) cannot be reached: ${reasonOf(reason)}`));
  };
}

/** Whether the client says no more than that it has no connection. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /isn't writeable|Connection is closed|max retries per request/.test(error.message);
}

function reasonOf(error: unknown): string {
  // Of several addresses, each has failed for itself, and the whole says nothing.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
