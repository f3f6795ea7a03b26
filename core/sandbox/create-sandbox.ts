/** Makes the sandbox: hosts are started when there is something to run, and never before. */

import type { Logger } from "../../sdk/log.ts";
import { createEventHub, type EventHub } from "./events.ts";
import type { Host } from "./host.ts";
import type { HostProgram } from "./host-process.ts";
import { createPool, type Pool } from "./pool.ts";
import { rssBytes } from "./process-stats.ts";
import { createProgram, type Program } from "./program.ts";
import { createRunner } from "./runner.ts";
import type { HostStatus, LoadedProgram, Sandbox } from "./sandbox.ts";
import { createStrikes } from "./strikes.ts";

export interface SandboxOptions {
  readonly logger: Logger;
  /** What hosts run; asked for when the first one is to be started. */
  readonly hostProgram: () => Promise<HostProgram>;
  /** ms since 1970. */
  readonly wallClock?: () => number;
  /** ms, only ever forward. */
  readonly now?: () => number;
  /** A host with more resident memory is replaced when it has a moment; default 400 MB. */
  readonly recycleBytes?: number;
  /** How long a host may take to start; default 5 s. */
  readonly readyMs?: number;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const { logger, wallClock = Date.now, now = () => performance.now(), recycleBytes = 400 * 1024 ** 2, readyMs = 5000 } = options;
  const strikes = createStrikes(logger, now);
  let started: Promise<{ readonly pool: Pool; readonly events: EventHub }> | undefined;
  let pool: Pool | undefined;
  let lastVersion = 0;
  let isClosed = false;

  // Prepared once, also for several loads at once.
  const start = async (): Promise<{ readonly pool: Pool; readonly events: EventHub }> => {
    const program = await options.hostProgram();
    pool = createPool({ logger, wallClock, program, recycleBytes, readyMs });
    if (isClosed) await pool.close();
    return { pool, events: createEventHub(pool) };
  };

  return {
    async load(units) {
      const program = createProgram(++lastVersion, units, strikes);
      if (units.length === 0) return emptyProgram();
      started ??= start();
      started.catch(() => (started = undefined));
      const { pool, events } = await started;
      const manifests = await pool.load(program);
      return loadedProgram(program, manifests, pool, events);
    },
    status: () => ({
      active: hostStatus(pool?.active),
      spare: hostStatus(pool?.spare),
      kills: pool?.kills ?? 0,
      crashes: pool?.crashes ?? 0,
      quarantined: strikes.list(),
    }),
    async close() {
      isClosed = true;
      await pool?.close();
    },
  };
}

function loadedProgram(program: Program, manifests: LoadedProgram["manifests"], pool: Pool, events: EventHub): LoadedProgram {
  const runner = createRunner(program, pool);
  return {
    manifests,
    run: (call) => runner.run(call),
    openStream: (call) => events.open(program, call),
    quarantined: (unit) => program.unusable(unit),
    release: () => pool.unload(program),
  };
}

/** Nothing to run: no process for it either. */
function emptyProgram(): LoadedProgram {
  return {
    manifests: [],
    run: () => Promise.resolve([]),
    openStream: () => ({
      push: (sent) => Promise.resolve({ events: sent.map(() => 0), outcomes: [] }),
      close: () => undefined,
    }),
    quarantined: () => undefined,
    release: () => undefined,
  };
}

function hostStatus(host: Host | undefined): HostStatus | null {
  if (host === undefined) return null;
  return { pid: host.pid, startedAt: new Date(host.startedAt).toISOString(), calls: host.asked, rssBytes: rssBytes(host.pid) };
}
