/**
 * Ends a server. For a while new connections are still served, for those who send requests here do not hear of a stop at once;
 * then open exchanges finish; then they are ended with their protocol's own error, and only then cut off.
 */

import type { Server } from "node:http";
import { Server as NetServer } from "node:net";

import type { Connections } from "./connections.ts";
import type { Abortable } from "./services.ts";
import { Stopping } from "./stages/ingress.ts";

export interface ShutdownOptions {
  readonly server: Server;
  readonly connections: Connections;
  readonly open: ReadonlySet<Abortable>;
  /** How long open exchanges may go on. */
  readonly graceMs: number;
  /** How long new connections are accepted, within the grace. */
  readonly acceptMs: number;
  /** Whether nobody else is waited for once nothing is under way. */
  readonly untilIdle: boolean;
}

export interface Shutdown {
  /** Resolves when the last connection is closed. */
  readonly closed: Promise<void>;
  /** The grace is over. */
  hurry(): void;
}

/** How long a client may take to read the error that ends its answer, after the grace and when hurried. */
const readMs = { late: 5000, hurried: 500 };

export function shutDown({ server, connections, open, graceMs, acceptMs, untilIdle }: ShutdownOptions): Shutdown {
  let cut: NodeJS.Timeout | undefined;
  let isClosed = false;
  const { promise: closed, resolve } = Promise.withResolvers<void>();

  function refuse(): void {
    clearTimeout(accepting);
    if (!server.listening) return;
    // Not the HTTP server's own close, which cuts off answers that are still being read.
    NetServer.prototype.close.call(server, () => {
      isClosed = true;
      clearTimeout(late);
      clearTimeout(cut);
      // Its own timer still runs.
      server.close();
      resolve();
    });
    connections.closeQuiet();
  }
  function end(cutAfterMs: number): void {
    refuse();
    if (isClosed) return;
    for (const exchange of open) exchange.abort(new Stopping());
    connections.closeUnasked();
    clearTimeout(cut);
    cut = setTimeout(() => connections.closeAll(), cutAfterMs);
  }

  const late = setTimeout(() => end(readMs.late), graceMs);
  const accepting = setTimeout(refuse, acceptMs);
  connections.endAfterReplies(() => {
    if (untilIdle) refuse();
  });
  if (acceptMs === 0) refuse();
  return {
    closed,
    hurry() {
      clearTimeout(late);
      end(readMs.hurried);
    },
  };
}
