/** The one error type that crosses folders; dialects render it in the caller's own envelope. */

export type ErrorKind =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "billing_error"
  | "not_supported"
  | "overloaded_error"
  | "timeout_error"
  | "api_error";

export interface ProxyErrorOptions {
  readonly status: number;
  readonly kind: ErrorKind;
  /** Extra response headers, e.g. `retry-after`, `x-should-retry`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  /** What clients of LiteLLM read as `error.type`, where that says more than the kind. */
  readonly type?: string | undefined;
}

/** An error whose message may be shown to the caller. It never holds a secret. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly status: number;
  readonly kind: ErrorKind;
  readonly headers: Readonly<Record<string, string>>;
  readonly type: string | undefined;

  constructor(message: string, options: ProxyErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.kind = options.kind;
    this.headers = options.headers ?? {};
    this.type = options.type;
  }
}
