/** Where a Redis server is and who asks, checked before anybody repeats it in an error. */

import type { ConnectionOptions } from "node:tls";

import { RedisError } from "./errors.ts";

export interface RedisAddress {
  /** `redis://user:password@host:6379/0`, `rediss://…` with TLS; in place of what follows. */
  readonly url?: string | undefined;
  /** Default: 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default: 6379. */
  readonly port?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Default: 0. */
  readonly db?: number | undefined;
  /** True: with the certificates that Node trusts. */
  readonly tls?: boolean | ConnectionOptions | undefined;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: ConnectionOptions | undefined;
  /** For messages: host and port. */
  readonly where: string;
  /** The password, in each of its spellings. */
  readonly secrets: readonly string[];
}

/** @throws RedisError that repeats nothing of the url */
export function readAddress(address: RedisAddress): Target {
  const { host = "127.0.0.1", port = 6379, username, password, db = 0, tls } = fromUrl(address);
  const tlsOptions = tls === true ? {} : tls === false ? undefined : tls;
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return { host, port, username, password, db, tls: tlsOptions, where, secrets: spellingsOf(password) };
}

function fromUrl(address: RedisAddress): RedisAddress {
  if (address.url === undefined) return address;
  const url = URL.parse(address.url);
  if (url === null || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "")
    throw new RedisError("the url of Redis is none: redis://user:password@host:6379/0 is wanted, or rediss:// with TLS");
  // Else a part of the password would be taken for a host or a database, and be told as such.
  if (!/^\/?\d*$/.test(url.pathname) || url.hash !== "" || url.search.includes("@"))
    throw new RedisError(
      "the url of Redis ends in what is no number of a database; in a password, characters such as / ? # or @ have to be percent-encoded",
    );
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? undefined : Number(url.port),
    username: decoded(url.username) || address.username,
    password: decoded(url.password) || address.password,
    db: url.pathname.length > 1 ? Number(url.pathname.slice(1)) : address.db,
    tls: url.protocol === "rediss:" ? (address.tls ?? true) : address.tls,
  };
}

function spellingsOf(password: string | undefined): readonly string[] {
  if (password === undefined || password === "") return [];
  return [...new Set([password, encodeURIComponent(password)])].toSorted((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
