/** Why one attempt came to nothing, in the terms in which is decided what comes next. */

import type { ProxyError } from "../../sdk/errors.ts";
import type { Reply } from "../exchange.ts";

export type FailureClass =
  /** The request itself: any deployment would say so. */
  | "bad-request"
  | "context-window"
  | "content-policy"
  | "too-large"
  | "authentication"
  | "permission"
  | "not-found"
  /** 429 that passes by itself, soon. */
  | "rate-limit"
  /** A quota, a plan or a balance is used up. */
  | "exhausted"
  | "overloaded"
  | "server"
  | "timeout"
  /** No answer: DNS, TLS, refused, reset. */
  | "connection"
  /** An answer that is none: another content type, no content, cut off before any. */
  | "broken";

export interface Failure {
  readonly class: FailureClass;
  /** Of the answer, or the one it is told with. */
  readonly status: number;
  /** What the upstream asks to wait, from its headers; clamped, undefined where it says nothing. */
  readonly retryAfterMs: number | undefined;
  /** When what was used up is there again, where the upstream says so. */
  readonly resetMs: number | undefined;
  /** Who is out: nobody (the request was at fault), this deployment's model, or everything behind its key. */
  readonly scope: "none" | "deployment" | "account";
  /** The upstream's own `x-should-retry`. */
  readonly shouldRetry: boolean | undefined;
  /** What the caller is told if nothing else helps: as it came, where the caller can read that. */
  readonly told: { readonly type: "error"; readonly error: ProxyError } | { readonly type: "reply"; readonly reply: Reply };
  /** For the trace and the log: the error in the proxy's words. */
  readonly error: ProxyError;
}
