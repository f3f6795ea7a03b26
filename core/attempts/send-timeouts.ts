/** How long one request to an upstream may take: what the caller asks for, else what the deployment says. */

import type { Timeouts } from "../config/types.ts";
import type { Exchange } from "../exchange.ts";
import type { SendTimeouts } from "../upstream/send.ts";

export function sendTimeouts(timeouts: Timeouts, { facts, operation, options }: Exchange): SendTimeouts {
  const { connectMs, idleMs, silenceMs, totalMs } = timeouts;
  if (facts.stream && operation === "generate") {
    const headersMs = options.streamTimeoutMs ?? options.timeoutMs ?? timeouts.headersMs;
    return { connectMs: Math.min(connectMs, headersMs), headersMs, idleMs, silenceMs, totalMs };
  }
  const wholeMs = Math.min(options.timeoutMs ?? timeouts.wholeMs, totalMs ?? Infinity);
  return { connectMs: Math.min(connectMs, wholeMs), headersMs: wholeMs, idleMs, totalMs: wholeMs };
}
