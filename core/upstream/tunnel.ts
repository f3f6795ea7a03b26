/** Asks a proxy for a connection to a host (CONNECT, RFC 9110 §9.3.6). */

import { request } from "node:http";
import type { Socket } from "node:net";

import type { ConnectionError } from "./connection-error.ts";
import { failed } from "./describe-failure.ts";
import { type Proxy, nameOf } from "./proxies.ts";

export interface TunnelOptions {
  readonly proxy: Proxy;
  /** Connected to the proxy. */
  readonly socket: Socket;
  /** `host:port` as a request names it. */
  readonly authority: string;
}

/** @param done called once, with a ConnectionError when the proxy refuses */
export function openTunnel({ proxy, socket, authority }: TunnelOptions, done: (error: Error | undefined) => void): void {
  const asking = request({
    createConnection: () => socket,
    method: "CONNECT",
    path: authority,
    headers: {
      host: authority,
      connection: "keep-alive",
      ...(proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization }),
    },
  });
  let isDone = false;
  const finish = (error: Error | undefined): void => {
    if (isDone) return;
    isDone = true;
    done(error);
  };
  asking.once("error", (error) => finish(broken(proxy, error.message, error)));
  // Node's client tells every answer to CONNECT by this event.
  asking.once("connect", ({ statusCode = 0 }) => {
    // Nothing follows yet: in TLS and in HTTP the client speaks first.
    finish(statusCode < 200 || statusCode > 299 ? refused(proxy, authority, statusCode) : undefined);
  });
  asking.end();
}

function refused(proxy: Proxy, authority: string, status: number): ConnectionError {
  const advice =
    status === 407
      ? proxy.authorization === undefined
        ? "it wants a user and a password: http://user:password@host:port"
        : "it does not take the user and the password it was given"
      : "see its log, or except the host with NO_PROXY";
  return failed("unreachable", `the proxy ${nameOf(proxy)} answered ${status} when asked for a connection to ${authority}; ${advice}`);
}

function broken(proxy: Proxy, reason: string, cause: Error): ConnectionError {
  return failed("unreachable", `the proxy ${nameOf(proxy)} gave no connection (${reason})`, cause);
}
