/** Opens one TCP or TLS connection, trying every address of the host. */

import { type LookupFunction, type Socket, connect as connectTcp, isIP } from "node:net";
import { type SecureContext, connect as connectTls } from "node:tls";

export interface TlsOptions {
  readonly secureContext: SecureContext;
  /** Whether the host must prove who it is. */
  readonly verify: boolean;
  readonly protocols: readonly string[];
  /** Of an earlier connection to the same host. */
  readonly session?: Buffer | undefined;
  readonly onSession?: (session: Buffer) => void;
}

export interface DialOptions {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  /** A tunnel to speak through, in place of a connection of its own. */
  readonly through?: Socket;
  readonly lookup: LookupFunction;
  readonly forceIpv4: boolean;
}

/** Before the next address is tried beside the one that has not answered yet (RFC 8305 §5). */
const nextAddressMs = 250;
/** Routers forget connections that say nothing; models think for minutes. */
const probeAfterMs = 15_000;

/** @param done called once, in a later turn; destroying the returned socket keeps it from being called with a socket */
export function dial(options: DialOptions, done: (error: Error | undefined, socket: Socket) => void): Socket {
  const { host, port, tls, through, lookup, forceIpv4 } = options;
  const target = {
    host,
    port,
    lookup,
    autoSelectFamily: !forceIpv4,
    autoSelectFamilyAttemptTimeout: nextAddressMs,
    ...(forceIpv4 ? { family: 4 } : {}),
  };
  let isDone = false;
  const finish = (error: Error | undefined): void => {
    if (isDone) return;
    isDone = true;
    done(error, socket);
  };
  const socket =
    tls === undefined
      ? connectTcp(target)
      : connectTls({
          ...target,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          secureContext: tls.secureContext,
          rejectUnauthorized: tls.verify,
          ALPNProtocols: [...tls.protocols],
          ...(tls.session === undefined ? {} : { session: tls.session }),
          ...(through === undefined ? {} : { socket: through }),
        });
  if (tls?.onSession !== undefined) socket.on("session", tls.onSession);
  socket.setNoDelay(true).setKeepAlive(true, probeAfterMs);
  // Stays, so that an error after the end of its user is nobody's.
  socket.on("error", finish);
  socket.once("close", () => finish(new Error("the connection was closed while it was made")));
  socket.once(tls === undefined ? "connect" : "secureConnect", () => finish(undefined));
  return socket;
}
