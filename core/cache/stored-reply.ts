/** A reply as a cache keeps it: its head as JSON, its bytes, and how they were cut, so that a stream is given again as it came. */

import type { CachedReply } from "../../sdk/cache.ts";
import type { HeaderList, Usage } from "../../sdk/dialect.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import type { Copied } from "./copy.ts";

export interface StoredHead {
  readonly status: number;
  /** What belongs to the reply, not to its connection or its limits. */
  readonly headers: HeaderList;
  readonly isEventStream: boolean;
  /** Whose bytes these are: the hub's, or those of the dialect of whoever asked. */
  readonly format: "hub" | "client";
  /** What the client asked its stream to hold, as it said it; empty where it said nothing. */
  readonly streamOptions: string;
  /** Lengths of the pieces, in bytes. */
  readonly pieces: readonly number[];
  readonly model: string;
  readonly deploymentId: string;
  readonly usage: Usage | undefined;
  /** What it cost: what every hit saves. */
  readonly cost: NanoDollars | null;
}

export interface Restored {
  readonly head: StoredHead;
  readonly chunks: readonly Uint8Array[];
}

const kept: ReadonlySet<string> = new Set(["content-type", "openai-version", "anthropic-version"]);

/** More pieces than this are joined: a head is not to outgrow its body. */
const mostPieces = 10_000;

export function store(head: Omit<StoredHead, "pieces">, copied: Copied, now: number): CachedReply {
  const headers = head.headers.filter(([name]) => kept.has(name));
  const pieces = copied.pieces.length > mostPieces ? [] : copied.pieces;
  return { storedAt: now, head: JSON.stringify({ ...head, headers, pieces } satisfies StoredHead), body: copied.body };
}

/** Undefined for what another version has written, or nobody. */
export function restore({ head, body }: CachedReply): Restored | undefined {
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
      typeof head.isEventStream === "boolean" &&
      (head.format === "hub" || head.format === "client") &&
      typeof head.streamOptions === "string";
    return isHead ? (head as StoredHead) : undefined;
  } catch {
    return undefined;
  }
}
