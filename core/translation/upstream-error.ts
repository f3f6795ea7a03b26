/** An upstream's refusal that the caller could not read as it came, as an error that the caller's own dialect can tell. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import { isMessagesError } from "../../sdk/hub/foreign-errors.ts";
import { scrub } from "../../sdk/hub/upstream-errors.ts";
import type { DecodedError } from "../../sdk/wire.ts";
import { type Deployment, canonicalName } from "../routing/deployment.ts";
import { bodyOf, collectReply } from "../stream/collect-reply.ts";
import type { UpstreamResponse } from "../upstream/send.ts";
import type { Sending } from "./encode-attempt.ts";
import type { Answered } from "./upstream-reply.ts";

/** Enough for any envelope. */
const maxErrorBytes = 64 * 1024;

/** Said by an upstream, not by the proxy. */
export class UpstreamRefusal extends ProxyError {}

export interface CollectedError {
  readonly status: number;
  readonly headers: HeaderList;
  /** The first 64 KiB, nearly always all of it. */
  readonly head: Uint8Array;
  readonly isWhole: boolean;
  /** All of it, to be read once. */
  readonly body: AsyncIterable<Uint8Array>;
}

export async function collectError({ status, headers, body }: UpstreamResponse): Promise<CollectedError> {
  const collected = await collectReply(body, maxErrorBytes);
  return collected.isWhole
    ? { status, headers, head: collected.bytes, isWhole: true, body: bodyOf(collected.bytes) }
    : { status, headers, head: collected.head, isWhole: false, body: collected.body };
}

/**
 * Whether a caller of the same dialect can read it. Clouds that serve the hub's dialect answer some of what they refuse
 * in an envelope of their own, account ids and all; whoever calls itself by the dialect's name is taken at its word.
 */
export function isReadable(error: CollectedError, { dialect, deployment }: Sending): boolean {
  if (ownReading(error, deployment) !== undefined) return false;
  if (dialect.name !== hubDialect || deployment.provider === undefined || canonicalName(deployment.provider) === hubDialect) return true;
  return isMessagesError(error.head);
}

/**
 * As it came; without secrets of the configuration, and, of other vendors than the hub's, without what names an account.
 *
 * @param redact takes them out of a text
 */
export function asTold(
  { status, headers, head, isWhole, body }: CollectedError,
  { dialect }: Sending,
  redact: (text: string) => string,
): Answered {
  const told = Buffer.from(head.buffer, head.byteOffset, head.length).toString("utf8");
  if (!isWhole) return { status, headers, body };
  const scrubbed = redact(dialect.name === hubDialect ? told : scrub(told));
  if (scrubbed === told) return { status, headers, body };
  const bytes = Buffer.from(scrubbed);
  const kept = headers.filter(([name]) => name !== "content-length" && name !== "openai-organization" && name !== "openai-project");
  return { status, headers: [...kept, ["content-length", String(bytes.length)]], body: bodyOf(bytes) };
}

/** Where the provider knows better than the dialect. */
function ownReading({ status, headers, head }: CollectedError, deployment: Deployment): DecodedError | undefined {
  return deployment.provider?.decodeError?.({ status, headers, body: head }, deployment);
}

/** @param hide takes secrets out of a text that came from the upstream */
export function readUpstreamError(refusal: CollectedError, { dialect, deployment }: Sending, hide: (text: string) => string): DecodedError {
  if (dialect.wire === undefined) throw new Error(`the dialect "${dialect.name}" has no wire, yet it was sent on`);
  const { status, headers, head } = refusal;
  const { error, ...rest } = ownReading(refusal, deployment) ?? dialect.wire.decodeError({ status, headers, body: head }, deployment);
  return { ...rest, error: new UpstreamRefusal(hide(error.message), { status: error.status, kind: error.kind, headers: error.headers }) };
}
