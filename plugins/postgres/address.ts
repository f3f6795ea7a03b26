/** What the url of a database says, checked before anybody repeats it in an error. */

import { PostgresError } from "./errors.ts";

export interface Address {
  /** Host, port and database. */
  readonly where: string;
  /** The password, in each of its spellings. */
  readonly secrets: readonly string[];
}

/** @throws PostgresError that repeats nothing of the url */
export function readAddress(url: string): Address {
  const parsed = parse(url);
  if (parsed === undefined || !["postgres:", "postgresql:"].includes(parsed.protocol))
    throw new PostgresError("the url of the database is none: postgres://user:password@host:5432/database is wanted");
  // Else a part of the password would be taken for a host, a port or a name, and be told as such.
  if (/[@#]/.test(parsed.pathname + parsed.search + parsed.hash))
    throw new PostgresError(
      "the url of the database has a character in it that has to be percent-encoded, such as / ? # or @ in a password",
    );
  const given = [parsed.password, parsed.searchParams.get("password") ?? ""].filter((secret) => secret !== "");
  const host = parsed.searchParams.get("host") ?? (parsed.host === "" ? "localhost" : parsed.host);
  return {
    where: `${host}${parsed.pathname}`,
    secrets: [...new Set(given.flatMap((secret) => [secret, decoded(secret)]))].toSorted((a, b) => b.length - a.length),
  };
}

function parse(url: string): URL | undefined {
  // With a socket there is no host, and then the standard allows for no user.
  return URL.parse(url.replace("@/", "@localhost/")) ?? undefined;
}

function decoded(secret: string): string {
  try {
    return decodeURIComponent(secret);
  } catch {
    return secret;
  }
}
