/** Who is calling: the holder of the master key, of the local token, or anyone on this machine where neither is asked for. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { Config } from "../config/types.ts";
import type { Caller } from "../exchange.ts";

export interface AuthPolicy {
  readonly masterKey: string | undefined;
  /** Set when the token of this installation lets a caller in. */
  readonly localToken: string | undefined;
}

/** Whoever can read the token of this installation can read the master key beside it, so it opens the same door. */
export function takesLocalToken(config: Config): boolean {
  return config.server.localAuth || config.masterKey !== undefined;
}

/** @param localToken read only when the configuration asks for it */
export function authPolicy(config: Config, localToken: () => string): AuthPolicy {
  return { masterKey: config.masterKey, localToken: takesLocalToken(config) ? localToken() : undefined };
}

/** What the caller presented by way of the URL, see gate. */
export interface Presented {
  readonly localToken: string | undefined;
}

/** @throws ProxyError 401 when a key or token is asked for and none of the presented ones is it */
export function authenticate(request: IncomingMessage, presented: Presented, policy: AuthPolicy): Caller {
  const { masterKey, localToken } = policy;
  const own: HeaderList = credentialHeaders(request);
  if (masterKey !== undefined) {
    const isKey = [...own, ...header(request, "x-litellm-api-key")].some(([, value]) => sameSecret(withoutScheme(value), masterKey));
    if (isKey) return { kind: "master", credentials: own.filter(([, value]) => !holds(value, masterKey)) };
  }
  if (localToken !== undefined && presented.localToken !== undefined && sameSecret(presented.localToken, localToken)) {
    return { kind: "local", credentials: own.filter(([, value]) => masterKey === undefined || !holds(value, masterKey)) };
  }
  if (masterKey === undefined && localToken === undefined) return { kind: "anonymous", credentials: own };
  throw new ProxyError(refusal(policy), { status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
}

function refusal({ masterKey, localToken }: AuthPolicy): string {
  const ways = [
    ...(masterKey === undefined ? [] : ["the master key as bearer token, x-api-key, x-goog-api-key, api-key or x-litellm-api-key"]),
    ...(localToken === undefined ? [] : ["the local token that `ccproxy run` gives its child"]),
  ];
  return `This proxy asks for ${ways.join("; or ")}.`;
}

/** The credentials that belong to the caller, verbatim. */
function credentialHeaders(request: IncomingMessage): HeaderList {
  return ["authorization", "x-api-key", "x-goog-api-key", "api-key"].flatMap((name) => header(request, name));
}

function header(request: IncomingMessage, name: string): HeaderList {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? [[name, value]] : [];
}

function withoutScheme(value: string): string {
  return /^bearer /i.test(value) ? value.slice(7).trim() : value;
}

/** Some clients are given the key twice, as bearer and as x-api-key; none of the two may travel on. */
function holds(value: string, masterKey: string): boolean {
  return value.split(/[\s,]+/).some((part) => sameSecret(part, masterKey));
}

/** Takes the same time whatever the first difference, and whatever the length. */
export function sameSecret(presented: string, expected: string): boolean {
  return timingSafeEqual(digest(presented), digest(expected));
}

function digest(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}
