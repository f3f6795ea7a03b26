/** Failures that a caller asks for, to see what its configuration makes of them. */

import { ProxyError, type ProxyErrorOptions } from "../../sdk/errors.ts";
import type { Failure, FailureClass } from "./failure.ts";

/** In the place of the attempts of the group that was asked for. */
export type MockedFailure = Extract<FailureClass, "server" | "context-window" | "content-policy" | "rate-limit" | "timeout">;

const errors: Readonly<Record<MockedFailure, ProxyErrorOptions & { readonly message: string }>> = {
  server: { message: "This is a mock failure: the request says mock_testing_fallbacks.", status: 500, kind: "api_error" },
  "context-window": {
    message: "prompt is too long: a mock failure, the request says mock_testing_context_fallbacks.",
    status: 400,
    kind: "invalid_request_error",
  },
  "content-policy": {
    message: "This is a mock failure of a content filter: the request says mock_testing_content_policy_fallbacks.",
    status: 400,
    kind: "invalid_request_error",
  },
  "rate-limit": {
    message: "This is a mock failure of a rate limit: the request says mock_testing_rate_limit_error.",
    status: 429,
    kind: "rate_limit_error",
  },
  timeout: { message: "This is a mock timeout: the request says mock_timeout.", status: 408, kind: "timeout_error" },
};

/** Nobody is to blame for it, so it counts for nothing. */
export function mockFailure(type: MockedFailure): Failure {
  const { message, ...options } = errors[type];
  const error = new ProxyError(message, options);
  return {
    class: type,
    status: error.status,
    retryAfterMs: undefined,
    resetMs: undefined,
    scope: "none",
    shouldRetry: undefined,
    told: { type: "error", error },
    error,
  };
}
