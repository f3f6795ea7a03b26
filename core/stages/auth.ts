/** Who is calling: the holder of the master key, of the local token, of a virtual key, or anyone on this machine where nothing is asked for. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import type { Config } from "../config/types.ts";
import type { Caller } from "../exchange.ts";
import { type KeyHolder, type Refusal, type RouteAsked, refuseRoute } from "../keys/access.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import { andThen } from "../routing/awaitable.ts";

export interface AuthPolicy {
  readonly masterKey: string | undefined;
  /** Set when the token of this installation lets a caller in. */
  readonly localToken: string | undefined;
}

/** Where virtual keys let a caller in, too. */
export interface KeyPolicy extends AuthPolicy {
  readonly keyRing: KeyRing;
  readonly asked: RouteAsked;
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
  const caller = withoutKeys(request, presented, policy);
  if (caller === undefined) throw refusal(policy);
  return caller;
}

/**
 * Nothing to wait for where keys are known already.
 *
 * @throws ProxyError 401 as `authenticate`, 401 or 403 for a key that may not be used now, from there, or for this path
 */
export function authenticateKeys(request: IncomingMessage, presented: Presented, policy: KeyPolicy): Awaitable<Caller> {
  const caller = withoutKeys(request, presented, policy);
  if (caller !== undefined) return caller;
  // Whoever gives out keys has the master key: without one there are none.
  if (policy.masterKey === undefined) throw refusal(policy);
  return findKey(candidatesOf(request), policy, (secret, holder) => {
    const refused = refuseRoute(holder, policy.asked);
    if (refused !== undefined) throw refusedAccess(refused);
    return { kind: "key", holder, credentials: credentialHeaders(request).filter(([, value]) => !holds(value, secret)) };
  });
}

function withoutKeys(request: IncomingMessage, presented: Presented, policy: AuthPolicy): Caller | undefined {
  const { masterKey, localToken } = policy;
  const own: HeaderList = credentialHeaders(request);
  if (masterKey !== undefined) {
    const isKey = [...own, ...header(request, keyHeader)].some(([, value]) => sameSecret(withoutScheme(value), masterKey));
    if (isKey) return { kind: "master", credentials: own.filter(([, value]) => !holds(value, masterKey)) };
  }
  if (localToken !== undefined && presented.localToken !== undefined && sameSecret(presented.localToken, localToken)) {
    return { kind: "local", credentials: own.filter(([, value]) => masterKey === undefined || !holds(value, masterKey)) };
  }
  return masterKey === undefined && localToken === undefined ? { kind: "anonymous", credentials: own } : undefined;
}

/** What may be a virtual key. Credentials of vendors are none, and are not asked about. */
function candidatesOf(request: IncomingMessage): readonly string[] {
  const named = header(request, keyHeader);
  const secrets = (named.length > 0 ? named : credentialHeaders(request)).map(([, value]) => withoutScheme(value));
  return [...new Set(secrets)].filter((secret) => secret.startsWith("sk-") && !secret.startsWith("sk-ant-"));
}

/** @throws ProxyError 401 when none of them is a key */
function findKey(
  [secret, ...others]: readonly string[],
  policy: KeyPolicy,
  use: (secret: string, holder: KeyHolder) => Caller,
): Awaitable<Caller> {
  if (secret === undefined) throw refusal(policy);
  return andThen(policy.keyRing.find(secret), (holder) => (holder === undefined ? findKey(others, policy, use) : use(secret, holder)));
}

export function refusedAccess({ status, kind, type, message }: Refusal): ProxyError {
  return new ProxyError(message, { status, kind, type, headers: { "x-should-retry": "false" } });
}

function refusal({ masterKey, localToken }: AuthPolicy): ProxyError {
  const ways = [
    ...(masterKey === undefined
      ? []
      : ["the master key or a virtual key as bearer token, x-api-key, x-goog-api-key, api-key or x-litellm-api-key"]),
    ...(localToken === undefined ? [] : ["the local token that `ccproxy run` gives its child"]),
  ];
  return new ProxyError(`This proxy asks for ${ways.join("; or ")}.`, {
    status: 401,
    kind: "authentication_error",
    headers: { "x-should-retry": "false" },
  });
}

/** Beside credentials of the caller's own. */
const keyHeader = "x-litellm-api-key";

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
function holds(value: string, secret: string): boolean {
  return value.split(/[\s,]+/).some((part) => sameSecret(part, secret));
}

/** Takes the same time whatever the first difference, and whatever the length. */
export function sameSecret(presented: string, expected: string): boolean {
  return timingSafeEqual(digest(presented), digest(expected));
}

function digest(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}
