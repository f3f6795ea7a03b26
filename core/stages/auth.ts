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
  return withoutKeys(request, presented, policy) ?? refuse(policy, { key: "the master key" });
}

/**
 * Nothing to wait for where keys are known already.
 *
 * @throws ProxyError 401 as `authenticate`, 401 or 403 for a key that may not be used now, from there, or for this path; 503 when nobody can tell
 */
export function authenticateKeys(request: IncomingMessage, presented: Presented, policy: KeyPolicy): Awaitable<Caller> {
  return andThen(identify(request, presented, policy), (caller) => {
    const refused = caller.holder === undefined ? undefined : refuseRoute(caller.holder, policy.asked);
    if (refused !== undefined) throw refusedAccess(refused);
    return caller;
  });
}

/**
 * As `authenticateKeys`, but what the key may be used for is for others to find out.
 *
 * @throws ProxyError 401 or 503
 */
export function identify(request: IncomingMessage, presented: Presented, policy: Omit<KeyPolicy, "asked">): Awaitable<Caller> {
  const caller = withoutKeys(request, presented, policy);
  // Whoever gives out keys has the master key: without one there are none.
  if (policy.masterKey === undefined) return caller ?? refuse(policy);
  if (caller !== undefined) return withoutVirtualKeys(caller, policy.keyRing);
  const candidates = candidatesOf(request);
  if (candidates.length === 0) return refuse(policy);
  return andThen(findKey(candidates, policy.keyRing), (found) => {
    if (found === undefined) return refuse(policy, { type: unknownKey });
    const credentials = credentialHeaders(request).filter(([, value]) => !holds(value, found.secret));
    return withoutVirtualKeys({ kind: "key", holder: found.holder, credentials }, policy.keyRing);
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

/** What may open this proxy as a virtual key. Where the header that is made for it says something, nothing else is tried. */
function candidatesOf(request: IncomingMessage): readonly string[] {
  const named = header(request, keyHeader);
  const secrets = (named.length > 0 ? named : credentialHeaders(request)).map(([, value]) => withoutScheme(value));
  return [...new Set(secrets)].filter(mayBeKey);
}

/** Credentials of the hub's vendor are none, and nobody is asked about them. */
function mayBeKey(secret: string): boolean {
  return secret.startsWith("sk-") && !secret.startsWith("sk-ant-");
}

interface FoundKey {
  readonly secret: string;
  readonly holder: KeyHolder;
}

/** The first of them that is one. */
function findKey([secret, ...others]: readonly string[], keyRing: KeyRing): Awaitable<FoundKey | undefined> {
  if (secret === undefined) return undefined;
  return andThen(keyRing.find(secret), (holder) => (holder === undefined ? findKey(others, keyRing) : { secret, holder }));
}

/** No key of this proxy travels on, whichever of several opened it: a vendor would know how to open it, too. */
function withoutVirtualKeys(caller: Caller, keyRing: KeyRing): Awaitable<Caller> {
  return andThen(notKeys(caller.credentials, keyRing), (credentials) => ({ ...caller, credentials }));
}

function notKeys([first, ...others]: HeaderList, keyRing: KeyRing): Awaitable<HeaderList> {
  if (first === undefined) return [];
  return andThen(holdsKey(first[1], keyRing), (isKey) => andThen(notKeys(others, keyRing), (rest) => (isKey ? rest : [first, ...rest])));
}

/** More than a header joined of all of them, and each costs a question. */
const mostParts = 8;

/** Where nobody can tell, it is taken for one. */
function holdsKey(value: string, keyRing: KeyRing): Awaitable<boolean> {
  const secrets = partsOf(value).filter(mayBeKey);
  if (secrets.length === 0) return false;
  if (secrets.length > mostParts) return true;
  try {
    const found = findKey(secrets, keyRing);
    if (!(found instanceof Promise)) return found !== undefined;
    return found.then(
      (key) => key !== undefined,
      () => true,
    );
  } catch {
    return true;
  }
}

export function refusedAccess({ status, kind, type, message }: Refusal): ProxyError {
  return new ProxyError(message, { status, kind, type, headers: { "x-should-retry": "false" } });
}

/** LiteLLM's `error.type` of what might have been a key. */
const unknownKey = "token_not_found_in_db";

interface RefusalWords {
  /** What is asked for. */
  readonly key?: string;
  readonly type?: string;
}

function refuse({ masterKey, localToken }: AuthPolicy, { key = "the master key or a virtual key", type }: RefusalWords = {}): never {
  const ways = [
    ...(masterKey === undefined
      ? []
      : [`${key} as bearer token or in one of the headers x-litellm-api-key and x-api-key and x-goog-api-key and api-key`]),
    ...(localToken === undefined ? [] : ["the local token that `ccproxy run` gives its child"]),
  ];
  throw new ProxyError(`This proxy asks for ${ways.join("; or ")}.`, {
    status: 401,
    kind: "authentication_error",
    type,
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
  return partsOf(value).some((part) => sameSecret(part, secret));
}

function partsOf(value: string): readonly string[] {
  return value.split(/[\s,]+/);
}

/** Takes the same time whatever the first difference, and whatever the length. */
export function sameSecret(presented: string, expected: string): boolean {
  return timingSafeEqual(digest(presented), digest(expected));
}

function digest(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}
