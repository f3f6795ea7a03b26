/** What went wrong between the proxy and an upstream, as opposed to what an upstream said. */

import { ProxyError, type ProxyErrorOptions } from "../../sdk/errors.ts";

export type ConnectionFault =
  /** No connection in time. */
  | "connect-timeout"
  /** No connection: DNS, TLS, refused. Nothing of the request was sent. */
  | "unreachable"
  /** The response did not begin in time. */
  | "first-byte-timeout"
  /** No byte for too long. */
  | "idle-timeout"
  /** Nothing but pings for too long. */
  | "silence-timeout"
  /** Longer than the whole may take. */
  | "total-timeout"
  /** The connection ended before the response began. */
  | "closed-before-response"
  /** …and within it, or what came is no HTTP. */
  | "closed-in-response"
  /** More than may be held or decoded. */
  | "too-much";

export interface ConnectionErrorOptions extends ProxyErrorOptions {
  readonly fault: ConnectionFault;
}

export class ConnectionError extends ProxyError {
  readonly fault: ConnectionFault;
  constructor(message: string, { fault, ...options }: ConnectionErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
