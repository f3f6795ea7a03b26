/** Headers of `context.fetch`: what user code may set, and what goes along when a redirect leads to another host. */

import { CapabilityError } from "./capability-error.ts";

type Headers = ReadonlyMap<string, string>;

/** They belong to the connection, to the machinery or to proxies on the way. */
const refused: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "cookie2",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
]);
const refusedPrefixes = ["proxy-", "sec-", "x-forwarded-", "x-ccproxy-"];

const maxHeaders = 50;
const maxHeaderBytes = 16 * 1024;
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// Visible characters, blanks and tabs. Anything else could end the header or be read differently elsewhere.
const plainValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Not about the caller, so they may go to another granted host. */
const impersonal: ReadonlySet<string> = new Set(["accept", "accept-language", "content-type", "idempotency-key", "user-agent"]);

/** @throws CapabilityError that names the header */
export function readFetchHeaders(given: Readonly<Record<string, string>>): Headers {
  const headers = new Map<string, string>();
  let bytes = 0;
  for (const [written, value] of Object.entries(given)) {
    const name = written.toLowerCase();
    const shown = JSON.stringify(written.slice(0, 60));
    if (!token.test(name)) throw new CapabilityError(`fetch: ${shown} is not the name of a header`);
    if (refused.has(name) || refusedPrefixes.some((prefix) => name.startsWith(prefix)))
      throw new CapabilityError(`fetch: the header ${shown} is not yours to set`);
    if (typeof value !== "string" || !plainValue.test(value))
      throw new CapabilityError(`fetch: the header ${shown} has a value that no header can have`);
    headers.set(name, value);
    bytes += name.length + value.length;
  }
  if (headers.size > maxHeaders || bytes > maxHeaderBytes) {
    throw new CapabilityError(`fetch: at most ${maxHeaders} headers with ${maxHeaderBytes} bytes in all`);
  }
  return headers;
}

/** What is left for another host: whoever was meant by the rest, it was the first one. */
export function forAnotherHost(headers: Headers): Headers {
  return new Map([...headers].filter(([name]) => impersonal.has(name)));
}

/** For a request that has lost its body on the way. */
export function withoutBody(headers: Headers): Headers {
  return new Map([...headers].filter(([name]) => name !== "content-type" && name !== "idempotency-key"));
}
