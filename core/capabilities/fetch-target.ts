/** Which URLs a `fetch` grant opens: one origin each, matched exactly. */

import { CapabilityError } from "./capability-error.ts";

const loopbackHosts: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * The origin that a grant's host stands for: HTTPS, on port 443 unless it says another. `http://` is there
 * for services on this machine alone, with the port: `http://127.0.0.1:8080`.
 *
 * @returns undefined when the text names no such host
 */
export function grantedOrigin(host: string): string | undefined {
  const text = host.includes("://") ? host : `https://${host}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isBare = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (!isBare || url.hostname === "" || /[*?#\s\\@]/.test(host) || text.endsWith("/")) return undefined;
  if (url.protocol === "https:") return url.origin;
  return url.protocol === "http:" && url.port !== "" && loopbackHosts.has(url.hostname) ? url.origin : undefined;
}

/**
 * Checks a URL against the grants.
 * @throws CapabilityError that names the grant it would need
 */
export function readTarget(text: string, hosts: readonly string[]): URL {
  if (!URL.canParse(text)) throw new CapabilityError("fetch wants an absolute URL, e.g. https://api.example.com/path");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new CapabilityError("fetch refuses a URL with a user name or password; use a header");
  if (!hosts.some((host) => grantedOrigin(host) === url.origin)) throw new CapabilityError(missingGrant(url, hosts));
  url.hash = "";
  return url;
}

function missingGrant(url: URL, hosts: readonly string[]): string {
  const isLocal = url.protocol === "http:" && loopbackHosts.has(url.hostname);
  if (url.protocol !== "https:" && !isLocal) return `fetch of ${url.protocol}//${url.host}: HTTPS only`;
  const grant = isLocal ? `fetch:http://${url.hostname}:${url.port || "80"}` : `fetch:${url.host}`;
  return `fetch of ${url.host} needs the grant "${grant}"; ${hosts.length === 0 ? "no host is granted" : `granted: ${hosts.join(", ")}`}`;
}
