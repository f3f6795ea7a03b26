/** A reply as a cache keeps it: its head as JSON, its bytes, and how they were cut, so that a stream is given again as it came. */

import type { CachedReply } from "../../sdk/cache.ts";
import type { HeaderList, Usage } from "../../sdk/dialect.ts";

export interface StoredHead {
  readonly status: number;
  /** What belongs to the reply, not to its connection or its limits. */
  readonly headers: HeaderList;
  readonly isEventStream: boolean;
  /** Lengths of the pieces, in bytes. */
  readonly pieces: readonly number[];
  readonly model: string;
  readonly deploymentId: string;
  readonly usage: Usage | undefined;
  /** What it cost, nano-dollars: what every hit saves. */
  readonly cost: number | null;
}

const kept: ReadonlySet<string> = new Set(["content-type", "openai-version", "anthropic-version"]);

/** More pieces than this are joined: a head is not to outgrow its body. */
const mostPieces = 10_000;

export function store(head: Omit<StoredHead, "pieces">, chunks: readonly Uint8Array[], now: number): CachedReply {
  const headers = head.headers.filter(([name]) => kept.has(name));
  const pieces = chunks.length > mostPieces ? [] : chunks.map((chunk) => chunk.length);
  return { storedAt: now, head: JSON.stringify({ ...head, headers, pieces } satisfies StoredHead), body: Buffer.concat(chunks) };
}

/** Undefined for what another version has written, or nobody. */
export function restore({ head, body }: CachedReply): { readonly head: StoredHead; readonly chunks: readonly Uint8Array[] } | undefined {
  const read = parse(head);
  if (read === undefined) return undefined;
  if (read.pieces.length === 0) return { head: read, chunks: body.length === 0 ? [] : [body] };
  const chunks: Uint8Array[] = [];
  let start = 0;
  for (const length of read.pieces) {
    chunks.push(body.subarray(start, start + length));
    start += length;
  }
  return start === body.length ? { head: read, chunks } : undefined;
}

function parse(text: string): StoredHead | undefined {
  try {
    const head: Partial<StoredHead> | null = JSON.parse(text);
    const isHead =
      typeof head?.status === "number" &&
      Array.isArray(head.pieces) &&
      Array.isArray(head.headers) &&
      typeof head.isEventStream === "boolean";
    return isHead ? (head as StoredHead) : undefined;
  } catch {
    return undefined;
  }
}
