/** Says of what kind a failed attempt is, and who is to blame: the request, the deployment, or everything behind its key. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { type ErrorKind, ProxyError } from "../../sdk/errors.ts";
import { readOverflow } from "../../sdk/hub/upstream-errors.ts";
import type { PolicyClass } from "../config/router-types.ts";
import { HookRefusal } from "../phases/hook-refusal.ts";
import { ConnectionError, type ConnectionFault } from "../upstream/connection-error.ts";
import { isContentPolicy } from "./content-policy.ts";
import type { Failure, FailureClass } from "./failure.ts";
import { readLimits } from "./limits.ts";
import type { CredentialOwner } from "./transmit.ts";

/** An upstream's answer that is an error by its status. */
export interface Refusal {
  /** In the hub's kinds. */
  readonly error: ProxyError;
  /** Of the answer. */
  readonly status: number;
  /** Of the answer, names in lower case. */
  readonly headers: HeaderList;
  readonly told: Failure["told"];
  readonly credential: CredentialOwner;
}

/** @param wallClock ms since 1970 */
export function classifyRefusal({ error, status, headers, told, credential }: Refusal, wallClock: number): Failure {
  // What a wire read in the body stands in the headers of the error.
  const all: HeaderList = [...Object.entries(error.headers), ...headers];
  const limits = readLimits(all, wallClock);
  const found = classOf(error, status);
  const isUsedUp = found === "rate-limit" && limits.exhausted;
  const type = isUsedUp ? "exhausted" : found;
  const isOwn = credential === "own" && ofTheCaller.has(type);
  const isRequests = error.kind === "not_supported" || (found === "rate-limit" && ofLongRequests.test(error.message));
  return {
    class: type,
    status,
    retryAfterMs: limits.retryAfterMs,
    resetMs: limits.resetMs,
    scope: isOwn || isRequests ? "none" : ((isUsedUp ? limits.scope : undefined) ?? scopes[type]),
    shouldRetry: readShouldRetry(all),
    told,
    error,
  };
}

export interface ThrownOptions {
  /** The caller itself said how long to wait: that it was too short says nothing of the deployment. */
  readonly isCallersTimeout?: boolean;
}

/**
 * What was thrown in place of an answer.
 *
 * @param wallClock ms since 1970
 * @returns undefined for what no other attempt could mend: a denial by a hook, a caller that left, a defect of ours
 */
export function classifyThrown(error: unknown, wallClock: number, { isCallersTimeout = false }: ThrownOptions = {}): Failure | undefined {
  if (!(error instanceof ProxyError) || error instanceof HookRefusal) return undefined;
  const type = error instanceof ConnectionError ? faults[error.fault] : classOfOwn(error);
  // That there is no credential, or that a wire cannot say what is asked, was found out here, before anybody was asked.
  const isBlameless = ofTheCaller.has(type) || (type === "timeout" && isCallersTimeout);
  return failureOf(error, type, isBlameless ? "none" : scopes[type], wallClock);
}

/**
 * What a reply holds in place of content: an error event, nothing at all, half an event.
 *
 * @param wallClock ms since 1970; without it, dates say nothing
 */
export function classifyInBand(error: ProxyError, wallClock: number = Number.NaN, credential: CredentialOwner = "shared"): Failure {
  const type = error instanceof ConnectionError ? faults[error.fault] : classOfOwn(error);
  return failureOf(error, type, credential === "own" && ofTheCaller.has(type) ? "none" : scopes[type], wallClock);
}

function failureOf(error: ProxyError, type: FailureClass, scope: Failure["scope"], wallClock: number): Failure {
  const headers = Object.entries(error.headers);
  const { retryAfterMs, resetMs } = readLimits(headers, wallClock);
  const { status } = error;
  return {
    class: type,
    status,
    retryAfterMs,
    resetMs,
    scope,
    shouldRetry: readShouldRetry(headers),
    told: { type: "error", error },
    error,
  };
}

function readShouldRetry(headers: HeaderList): boolean | undefined {
  const said = headers.find(([name]) => name === "x-should-retry")?.[1].toLowerCase();
  return said === "true" ? true : said === "false" ? false : undefined;
}

function classOf({ kind, message }: ProxyError, status: number): FailureClass {
  const type = kinds[kind];
  if (type === "rate-limit" || type === "exhausted" || type === "overloaded") return type;
  if (type === "permission" && /oauth (?:token|authentication)/i.test(message)) return "authentication";
  if (type === "bad-request" && noCredit.test(message)) return "exhausted";
  if (status >= 500 && type !== "bad-request") return type;
  if (type === "bad-request" || type === "permission" || type === "too-large") {
    if (readOverflow(message) !== undefined || tooLong.test(message)) return "context-window";
    if (isContentPolicy(message)) return "content-policy";
  }
  // A conflict passes.
  return type === "bad-request" && (status === 409 || status === 425) ? "server" : type;
}

/** Where a status says that the request is wrong: Anthropic's API, its limits of spending, its subscriptions; Alibaba. */
const noCredit =
  /credit balance is too low|(?:out of|draw from your) extra usage|reached your (?:specified |configured )?(?:api |workspace )?usage limits?|account is in good standing/i;

/** What LiteLLM takes for it besides. */
const tooLong =
  /maximum context limit of [\d,]+ tokens|maximum input length is [\d,]+ tokens|(?:^|'(?:messages|input|prompt|instructions)[^']{0,80}': )string too long\. expected a string with maximum length/i;

/** A subscription's answer to a long prompt, whatever else it has left: shorter ones are served. */
const ofLongRequests = /extra usage is required for long context/i;

/** Where no status of an answer is known: what was not understood has a status of ours. */
function classOfOwn(error: ProxyError): FailureClass {
  if (error.kind === "api_error") return error.status === 502 ? "broken" : "server";
  return classOf(error, error.status);
}

const kinds: Readonly<Record<ErrorKind, FailureClass>> = {
  invalid_request_error: "bad-request",
  authentication_error: "authentication",
  permission_error: "permission",
  not_found_error: "not-found",
  request_too_large: "too-large",
  rate_limit_error: "rate-limit",
  billing_error: "exhausted",
  // This deployment has no such operation; others may.
  not_supported: "not-found",
  overloaded_error: "overloaded",
  timeout_error: "timeout",
  api_error: "server",
};

const faults: Readonly<Record<ConnectionFault, FailureClass>> = {
  "connect-timeout": "connection",
  unreachable: "connection",
  "first-byte-timeout": "timeout",
  "idle-timeout": "timeout",
  "silence-timeout": "timeout",
  "total-timeout": "timeout",
  "closed-before-response": "connection",
  "closed-in-response": "broken",
  "too-much": "broken",
};

/** Who is out, where the upstream does not say. Rates are counted by model, money and keys are not. */
const scopes: Readonly<Record<FailureClass, Failure["scope"]>> = {
  "bad-request": "none",
  "context-window": "none",
  "content-policy": "none",
  "too-large": "none",
  authentication: "account",
  permission: "deployment",
  "not-found": "deployment",
  "rate-limit": "deployment",
  exhausted: "account",
  overloaded: "deployment",
  server: "deployment",
  timeout: "deployment",
  connection: "deployment",
  broken: "deployment",
};

/** What a caller's own login may meet alone. */
const ofTheCaller: ReadonlySet<FailureClass> = new Set<FailureClass>([
  "authentication",
  "permission",
  "not-found",
  "rate-limit",
  "exhausted",
]);

/** As LiteLLM's policies name it; undefined for what they have no name for. */
export function policyClassOf({ class: type }: Failure): PolicyClass | undefined {
  return policyClasses[type];
}

const policyClasses: Readonly<Record<FailureClass, PolicyClass | undefined>> = {
  "bad-request": "BadRequestError",
  "context-window": "BadRequestError",
  "content-policy": "ContentPolicyViolationError",
  "too-large": "BadRequestError",
  authentication: "AuthenticationError",
  permission: undefined,
  "not-found": "NotFoundError",
  "rate-limit": "RateLimitError",
  exhausted: "RateLimitError",
  overloaded: "InternalServerError",
  server: "InternalServerError",
  timeout: "TimeoutError",
  connection: "InternalServerError",
  broken: "InternalServerError",
};
