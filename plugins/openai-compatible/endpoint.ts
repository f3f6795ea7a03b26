/** URLs of one API: people write its base in many ways, and each means the same. */

export type Operation = "chat/completions" | "responses" | "messages" | "embeddings";

const operations: readonly Operation[] = ["chat/completions", "responses", "messages", "embeddings"];

/**
 * `https://host`, `https://host/v1`, `https://host/v1/` and `https://host/v1/chat/completions` all lead to
 * `https://host/v1/<operation>`. What is written with an operation is taken at its word: `https://host/chat/completions`
 * has no `/v1`.
 *
 * @param root path of the API on a host that is given alone, e.g. `/v1`
 */
export function endpoint(base: string, operation: Operation, root: string): string {
  const url = new URL(base);
  const path = withoutSlashes(url.pathname);
  const written = writtenOperation(base);
  const prefix = written === undefined ? path || root : withoutSlashes(path.slice(0, -written.length));
  return `${url.origin}${prefix}/${operation}${url.search}`;
}

/** The operation that a base URL ends in, for hosts that have this one only. */
export function writtenOperation(base: string): Operation | undefined {
  const path = withoutSlashes(URL.parse(base)?.pathname ?? "");
  return operations.find((operation) => path.endsWith(`/${operation}`));
}

/** The path at the end of a base, for those who name its host alone. */
export function rootOf(base: string | undefined): string {
  return base === undefined ? "/v1" : withoutSlashes(new URL(base).pathname);
}

function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}
