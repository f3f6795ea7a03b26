/** Failures to decide about. */

import type { Failure, FailureClass } from "../../../core/attempts/failure.ts";
import { ProxyError } from "../../../sdk/errors.ts";

export const statuses: Readonly<Record<FailureClass, number>> = {
  "bad-request": 400,
  "context-window": 400,
  "content-policy": 400,
  "too-large": 413,
  authentication: 401,
  permission: 403,
  "not-found": 404,
  "rate-limit": 429,
  exhausted: 429,
  overloaded: 529,
  server: 500,
  timeout: 504,
  connection: 502,
  broken: 502,
};

const scopes: Readonly<Partial<Record<FailureClass, Failure["scope"]>>> = {
  "bad-request": "none",
  "context-window": "none",
  "content-policy": "none",
  "too-large": "none",
  authentication: "account",
  exhausted: "account",
};

export function failureOf(type: FailureClass, overrides: Partial<Failure> = {}): Failure {
  const error = new ProxyError("no", { status: statuses[type], kind: "api_error" });
  return {
    class: type,
    status: statuses[type],
    retryAfterMs: undefined,
    resetMs: undefined,
    scope: scopes[type] ?? "deployment",
    shouldRetry: undefined,
    told: { type: "error", error },
    error,
    ...overrides,
  };
}

export const requestFaults = ["bad-request", "context-window", "content-policy", "too-large"] as const;
export const troubles = ["overloaded", "server", "timeout", "connection", "broken"] as const;
