/** Which requests have the same answer. */

import { createHash } from "node:crypto";

import type { RequestBody } from "../../sdk/body.ts";
import type { HeaderReader } from "../../sdk/facts.ts";

export interface CacheKeyParts {
  /** Whoever may not get the replies of others: id of a key; undefined where replies are everybody's. */
  readonly tenant: string | undefined;
  readonly namespace: string | undefined;
  /** Of the client. */
  readonly dialect: string;
  readonly operation: string;
  /** The model group that would answer. */
  readonly group: string;
  readonly body: RequestBody;
  readonly headers: HeaderReader;
}

/** They say how an answer is sent, who asks, and what is remembered of it: not what is answered. The model is the group's. */
const without: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "stream_options",
  "metadata",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
]);

/** They change what is answered. */
const headers = ["anthropic-version", "anthropic-beta", "openai-beta"];

/**
 * Members of the body may stand in any order; beyond that their bytes count, so that nothing is parsed. Every part comes with its length: no
 * two different requests run into the same bytes.
 *
 * @returns of fixed length, and telling nothing of what went into it
 */
export function cacheKey({ tenant, namespace, dialect, operation, group, body, headers: received }: CacheKeyParts): string {
  const hash = createHash("sha256");
  const add = (part: string | Uint8Array | undefined): void => {
    hash.update(part === undefined ? "-;" : `${Buffer.byteLength(part)};`);
    if (part !== undefined) hash.update(part);
  };
  for (const part of ["1", tenant, namespace, dialect, operation, group]) add(part);
  for (const name of headers) add(received.get(name));
  const members = [...body.members({ start: 0, end: body.bytes.length })];
  for (const [name, span] of members.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (without.has(name)) continue;
    add(name);
    add(body.slice(span));
  }
  return hash.digest("base64url");
}
