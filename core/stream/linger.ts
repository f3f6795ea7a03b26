/** What becomes of a body that was refused before it was read. */

import type { IncomingMessage } from "node:http";

/**
 * Lets the rest of a body flow by, unkept. Closing at once would reset the connection, and the answer to
 * a client that is still sending would be lost.
 *
 * @returns when the body has ended or its client has left, or after `lingerMs`, or on abort
 */
export function letFlowBy(request: IncomingMessage, options: { readonly lingerMs: number; readonly signal?: AbortSignal }): Promise<void> {
  return new Promise((resolve) => {
    const { lingerMs, signal } = options;
    const timer = setTimeout(done, lingerMs);
    function done(): void {
      clearTimeout(timer);
      request.off("end", done).off("close", done);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    request.once("end", done).once("close", done);
    signal?.addEventListener("abort", done, { once: true });
    request.resume();
    if (request.complete || request.destroyed || signal?.aborted === true) done();
  });
}
