/** Keeps the reservations of requests that are under way, however long they take: one call for all of them. */

import type { Logger } from "../../sdk/log.ts";
import type { LimitStore } from "../../sdk/limits.ts";

export interface Renewer {
  add(id: string): void;
  remove(id: string): void;
  close(): void;
}

export function createRenewer(limits: Pick<LimitStore, "renew">, leaseMs: number, logger: Pick<Logger, "warn">): Renewer {
  const open = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  async function renew(): Promise<void> {
    try {
      await limits.renew([...open], leaseMs);
    } catch (error) {
      // Two more follow before a lease is over.
      logger.warn({ error, reservations: open.size }, "reservations of limits could not be renewed");
    }
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(id) {
      open.add(id);
      timer ??= setInterval(() => void renew(), leaseMs / 3).unref();
    },
    remove(id) {
      if (open.delete(id) && open.size === 0) stop();
    },
    close: stop,
  };
}
