/** Which headers cross the proxy, in both directions. */

import type { IncomingMessage } from "node:http";

import type { HeaderList } from "../../sdk/dialect.ts";
import type { HeaderReader } from "../../sdk/facts.ts";

/** RFC 9110 §7.6.1, and what older proxies send. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Headers that carry a caller's credential; they take their own way (see credentials/). */
const credentialHeaders = new Set(["authorization", "x-api-key", "x-litellm-api-key", "x-goog-api-key", "api-key"]);

/**
 * Not for an upstream: what the browser adds, what the client said about this hop, what a client could
 * use to lie about its address, and our own.
 */
const ownToThisHop = new Set([
  "host",
  "content-length",
  "accept-encoding",
  "expect",
  "cookie",
  "cookie2",
  "origin",
  "referer",
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
]);

/** Not for rules to read: whoever holds one of these could act for the caller. */
const secretHeaders = new Set([...credentialHeaders, "cookie", "proxy-authorization", "x-ccproxy-token"]);

/** A browser would apply these to this proxy's origin; they are the affair of the upstream's. */
const originPolicies = new Set(["set-cookie", "set-cookie2", "alt-svc", "clear-site-data", "strict-transport-security"]);

export interface RequestHeaders extends HeaderReader {
  /** What may travel on. */
  readonly endToEnd: HeaderList;
}

/** Sorts the headers of a request, once, into readable ones and those that may travel on. */
export function readRequestHeaders(request: IncomingMessage): RequestHeaders {
  const { rawHeaders } = request;
  const named = connectionNamed(request.headers.connection);
  const endToEnd: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    if (isEndToEnd(name) && !named?.has(name)) endToEnd.push([name, rawHeaders[index + 1] ?? ""]);
  }
  return {
    endToEnd,
    get(name) {
      if (secretHeaders.has(name)) return undefined;
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
}

function isEndToEnd(name: string): boolean {
  if (hopByHop.has(name) || credentialHeaders.has(name) || ownToThisHop.has(name)) return false;
  return !(
    name.startsWith("sec-") ||
    name.startsWith("x-forwarded-") ||
    name.startsWith("x-ccproxy-") ||
    name.startsWith("x-litellm-") ||
    name.startsWith("proxy-")
  );
}

/** What describes the body or the hop is the proxy's to say. */
const describingBody = new Set(["content-type", "content-encoding", "content-md5", "digest", "content-digest"]);

/** Whether user code may set or remove the header on its way to an upstream. @param name in lower case */
export function isSettableHeader(name: string): boolean {
  return isEndToEnd(name) && !describingBody.has(name) && !secretHeaders.has(name) && !originPolicies.has(name);
}

/** A sender may declare further headers hop-by-hop by naming them in Connection. */
function connectionNamed(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || !connection.includes(",")) {
    const single = connection?.trim().toLowerCase();
    return single === undefined || single === "" || single === "keep-alive" || single === "close" ? undefined : new Set([single]);
  }
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

/** The headers of an upstream's response that travel on to the caller, in order, names in lower case. */
export function readResponseHeaders(raw: readonly (Buffer | string)[]): HeaderList {
  const list: [string, string][] = [];
  let named: readonly string[] | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = text(raw[index]).toLowerCase();
    if (name === "connection") named = [...(named ?? []), ...(connectionNamed(text(raw[index + 1])) ?? [])];
    if (hopByHop.has(name) || originPolicies.has(name) || name.startsWith("x-ccproxy-") || name.startsWith("access-control-")) continue;
    list.push([name, text(raw[index + 1])]);
  }
  return named === undefined || named.length === 0 ? list : list.filter(([name]) => !named.includes(name));
}

function text(value: Buffer | string | undefined): string {
  return typeof value === "string" ? value : (value?.toString("latin1") ?? "");
}

export function headerValue(headers: HeaderList, name: string): string | undefined {
  return headers.find(([candidate]) => candidate === name)?.[1];
}
