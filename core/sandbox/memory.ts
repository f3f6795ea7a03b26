/** Looks after the memory of hosts: one that has grown is replaced, one that grows without end is ended. */

import type { Logger } from "../../sdk/log.ts";
import type { Host } from "./host.ts";
import { askRssBytes, rssBytes } from "./process-stats.ts";

export interface MemoryOptions {
  readonly logger: Logger;
  readonly recycleBytes: number;
  readonly hosts: () => readonly Host[];
  /** False when it cannot be spared. */
  readonly recycle: (host: Host) => boolean;
}

const pollMs = 250;
/** On Linux the system itself stops a host before. */
const maxBytes = 1024 ** 3;

/** @returns stops it */
export function watchMemory({ logger, recycleBytes, hosts, recycle }: MemoryOptions): () => void {
  /** What a host had been asked when it was last looked at: one that did nothing since has not grown. */
  const seen = new WeakMap<Host, number>();
  const look = (host: Host, bytes: number | undefined): void => {
    if (bytes === undefined || !host.isOpen) return;
    if (bytes > maxBytes) host.condemn(`it uses ${megabytes(bytes)} MB`);
    else if (bytes > recycleBytes && recycle(host))
      logger.info({ pid: host.pid, rssMb: megabytes(bytes) }, "a hook host has grown and is replaced");
  };
  const timer = setInterval(() => {
    for (const host of hosts()) {
      if (!host.isOpen || (seen.get(host) === host.asked && !host.isBusy)) continue;
      seen.set(host, host.asked);
      if (process.platform === "linux") look(host, rssBytes(host.pid));
      else void askRssBytes(host.pid).then((bytes) => look(host, bytes));
    }
  }, pollMs);
  timer.unref();
  return () => clearInterval(timer);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 ** 2);
}
