/** Connects to one origin, directly or through a proxy, within a time, and says what went wrong. */

import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";

import { ConnectionError } from "./connection-error.ts";
import { describeConnectFailure } from "./describe-connect-failure.ts";
import { failed } from "./describe-failure.ts";
import { type TlsOptions, dial } from "./dial.ts";
import type { Names } from "./names.ts";
import { type Proxy, nameOf } from "./proxies.ts";
import { openTunnel } from "./tunnel.ts";

export interface Route {
  readonly url: URL;
  readonly proxy: Proxy | undefined;
  readonly forceIpv4: boolean;
  readonly http2: boolean;
  readonly verify: boolean;
  /** Made once: reading certificates takes milliseconds. @throws ConnectionError when those of the configuration cannot be read */
  readonly secureContext: () => SecureContext;
}

/** Told once. */
export type Connected = (result: { readonly socket: Socket } | { readonly error: ConnectionError }) => void;

/** @returns gives it up: nothing is told any more */
export type Connect = (withinMs: number, connected: Connected) => () => void;

export function createConnect(route: Route, names: Names): Connect {
  const { url, proxy, forceIpv4 } = route;
  const { origin } = url;
  const isTls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const reach = { lookup: names.lookup, forceIpv4 };
  let session: Buffer | undefined;

  function tlsTo(protocols: readonly string[], keepsSession: boolean): TlsOptions {
    return {
      secureContext: route.secureContext(),
      verify: route.verify,
      protocols,
      ...(keepsSession ? { session, onSession: (latest: Buffer) => (session = latest) } : {}),
    };
  }

  const ownTls = (): TlsOptions | undefined => (isTls ? tlsTo(route.http2 ? ["h2", "http/1.1"] : ["http/1.1"], true) : undefined);

  return (withinMs, connected) => {
    let isOver = false;
    let open: Socket | undefined;
    const end = (result: Parameters<Connected>[0]): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      if ("error" in result) open?.destroy();
      connected(result);
    };
    const fail = (error: Error): void => {
      if (isOver) return;
      names.distrust(proxy?.host ?? host);
      end({ error: error instanceof ConnectionError ? error : describeConnectFailure(error, origin, proxy) });
    };
    const succeed = (error: Error | undefined, socket: Socket): void => (error === undefined ? end({ socket }) : fail(error));
    const timer = setTimeout(() => {
      const via = proxy === undefined ? "" : ` through the proxy ${nameOf(proxy)}`;
      fail(failed("connect-timeout", `${origin} could not be reached within ${withinMs / 1000} s${via}`));
    }, withinMs);

    function throughProxy(found: Proxy): void {
      const toProxy = dial(
        { ...reach, host: found.host, port: found.port, tls: found.isTls ? tlsTo(["http/1.1"], false) : undefined },
        (error, socket) => {
          if (error !== undefined) return fail(describeConnectFailure(error, origin, found));
          openTunnel({ proxy: found, socket, authority: `${url.hostname}:${port}` }, (refusal) => {
            if (refusal !== undefined) return fail(refusal);
            const tls = ownTls();
            if (tls === undefined) return end({ socket });
            open = dial({ ...reach, host, port, tls, through: socket }, succeed);
          });
        },
      );
      open = toProxy;
    }

    try {
      if (proxy === undefined) open = dial({ ...reach, host, port, tls: ownTls() }, succeed);
      else throughProxy(proxy);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
    return () => {
      isOver = true;
      clearTimeout(timer);
      open?.destroy();
    };
  };
}
