/** Ends a server: open exchanges finish, then they are ended with their protocol's own error, and only then cut off. */

import type { Server } from "node:http";
import { Server as NetServer } from "node:net";

import type { Connections } from "./connections.ts";
import type { Abortable } from "./services.ts";
import { Stopping } from "./stages/ingress.ts";

export interface ShutdownOptions {
  readonly server: Server;
  readonly connections: Connections;
  readonly open: ReadonlySet<Abortable>;
  readonly graceMs: number;
}

export interface Shutdown {
  /** Resolves when the last connection is closed. */
  readonly closed: Promise<void>;
  /** The grace is over. */
  hurry(): void;
}

/** How long a client may take to read the error that ends its answer, after the grace and when hurried. */
const readMs = { late: 5000, hurried: 500 };

export function shutDown({ server, connections, open, graceMs }: ShutdownOptions): Shutdown {
  let cut: NodeJS.Timeout | undefined;
  let isClosed = false;
  function end(cutAfterMs: number): void {
    if (isClosed) return;
    for (const exchange of open) exchange.abort(new Stopping());
    connections.closeUnasked();
    clearTimeout(cut);
    cut = setTimeout(() => connections.closeAll(), cutAfterMs);
  }
  const late = setTimeout(() => end(readMs.late), graceMs);
  const closed = new Promise<void>((resolve) => {
    // Not the HTTP server's own close, which cuts off answers that are still being read.
    NetServer.prototype.close.call(server, () => {
      isClosed = true;
      clearTimeout(late);
      clearTimeout(cut);
      // Its own timer still runs.
      server.close();
      resolve();
    });
  });
  connections.closeQuiet();
  return {
    closed,
    hurry() {
      clearTimeout(late);
      end(readMs.hurried);
    },
  };
}
