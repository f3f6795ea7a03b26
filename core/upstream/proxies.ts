/**
 * Which proxy stands between here and a host, as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY have it (small letters
 * first). They are read as curl does, with three differences: HTTP_PROXY counts in capitals too, since no CGI request
 * can set it here; NO_PROXY may name a port; and what runs on this machine is never asked for through a proxy, to
 * which `localhost` would be another machine.
 */

import { BlockList, isIP } from "node:net";

import type { Variables } from "../../sdk/provider.ts";
import { failed } from "./describe-failure.ts";

export interface Proxy {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** `Basic …` for `proxy-authorization`; a secret. */
  readonly authorization: string | undefined;
}

/** For messages: no credentials. */
export function nameOf({ host, port, isTls }: Proxy): string {
  return `${isTls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What of the environment decides about proxies, for telling whether a reload changed it. */
export function proxyVariables(variables: Variables): readonly (string | undefined)[] {
  return ["https_proxy", "http_proxy", "all_proxy", "no_proxy"].map((name) => read(variables, name));
}

/**
 * @returns undefined where the host is connected to directly
 * @throws ConnectionError "unreachable" when a variable names no proxy that could be used
 */
export function proxyFor(url: URL, variables: Variables): Proxy | undefined {
  const host = bare(url.hostname);
  if (isThisMachine(host)) return undefined;
  const isTls = url.protocol === "https:";
  const names = [isTls ? "https_proxy" : "http_proxy", "all_proxy"];
  const name = names.find((candidate) => read(variables, candidate) !== undefined);
  const value = name === undefined ? undefined : read(variables, name);
  if (name === undefined || value === undefined) return undefined;
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  return isExcepted(host, port, read(variables, "no_proxy") ?? "") ? undefined : parse(value, name.toUpperCase());
}

function read(variables: Variables, name: string): string | undefined {
  // One that is empty is one that is not set.
  return text(variables(name)) ?? text(variables(name.toUpperCase()));
}

function text(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === "" ? undefined : trimmed;
}

function parse(value: string, name: string): Proxy {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  // The value is never shown: it may hold a password.
  if (url === null || url.hostname === "") {
    throw failed("unreachable", `${name} is set, but names no proxy; wanted something like http://proxy.example.com:8080`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw failed("unreachable", `${name} names a proxy of the kind ${url.protocol}//, which is not supported; wanted http:// or https://`);
  }
  const isTls = url.protocol === "https:";
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    host: bare(url.hostname),
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    isTls,
    authorization: user === ":" ? undefined : `Basic ${Buffer.from(user).toString("base64")}`,
  };
}

/** A bare `%` in a password is what its owner meant. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function isExcepted(host: string, port: number, noProxy: string): boolean {
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entry === "*" || matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: number): boolean {
  const family = isIP(host);
  if (family !== 0 && entry.includes("/")) return isWithin(host, entry);
  const { name, port: only } = split(entry);
  if (only !== undefined && only !== port) return false;
  if (family !== 0) return isIP(name) === family && list(name, isIP(name) === 6 ? 128 : 32).check(host, kind(family));
  const domain = name.replace(/^\*?\./, "").replace(/\.$/, "");
  const asked = host.replace(/\.$/, "");
  return domain !== "" && (asked === domain || asked.endsWith(`.${domain}`));
}

/** `host`, `host:port`, `::1`, `[::1]`, `[::1]:port` */
function split(entry: string): { readonly name: string; readonly port: number | undefined } {
  if (isIP(entry) === 6) return { name: entry, port: undefined };
  const [, bracketed, plain = entry, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  return { name: bracketed ?? plain, port: port === undefined ? undefined : Number(port) };
}

function isWithin(host: string, entry: string): boolean {
  const [network = "", bits = ""] = entry.split("/", 2);
  const address = bare(network);
  const family = isIP(address);
  if (family === 0 || family !== isIP(host) || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 6 ? 128 : 32)) return false;
  return list(address, Number(bits)).check(host, kind(family));
}

function list(address: string, bits: number): BlockList {
  const addresses = new BlockList();
  addresses.addSubnet(address, bits, kind(isIP(address)));
  return addresses;
}

function kind(family: number): "ipv4" | "ipv6" {
  return family === 6 ? "ipv6" : "ipv4";
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "").toLowerCase();
}
