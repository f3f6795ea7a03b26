/** A request as Node hands it over, without a connection behind it. */

import { IncomingMessage } from "node:http";
import { Socket } from "node:net";

/** @param headers in order; a name given twice is a header sent twice, and becomes of it what Node makes of it */
export function incoming(headers: readonly (readonly [name: string, value: string])[]): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders = headers.flat();
  const read: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const known = read[key];
    if (known === undefined) read[key] = value;
    else if (!firstCounts.has(key)) read[key] = `${known}, ${value}`;
  }
  request.headers = read;
  return request;
}

/** Of these Node keeps the first; the values of all others are joined. */
const firstCounts = new Set(["authorization", "content-type", "content-length", "host", "referer", "user-agent"]);
