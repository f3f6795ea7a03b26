/** An upstream's refusal in another dialect than the caller's, as an error that the caller's own can tell. */

import { ProxyError } from "../../sdk/errors.ts";
import type { DecodedError } from "../../sdk/wire.ts";
import { collectReply } from "../stream/collect-reply.ts";
import type { UpstreamResponse } from "../upstream/send.ts";
import type { Sending } from "./encode-attempt.ts";

/** Enough for any envelope. */
const maxErrorBytes = 64 * 1024;

/** Said by an upstream, not by the proxy. */
export class UpstreamRefusal extends ProxyError {}

/** @param hide takes secrets out of a text that came from the upstream */
export async function readUpstreamError(
  response: UpstreamResponse,
  { dialect, deployment }: Sending,
  hide: (text: string) => string,
): Promise<DecodedError> {
  const collected = await collectReply(response.body, maxErrorBytes);
  const body = collected.isWhole ? collected.bytes : collected.head;
  if (!collected.isWhole) await response.body.return();
  if (dialect.wire === undefined) throw new Error(`the dialect "${dialect.name}" has no wire, yet it was sent on`);
  const { error, ...rest } = dialect.wire.decodeError({ status: response.status, headers: response.headers, body }, deployment);
  const { status, kind, headers } = error;
  return { ...rest, error: new UpstreamRefusal(hide(error.message), { status, kind, headers }) };
}
