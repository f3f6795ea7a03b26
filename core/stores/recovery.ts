/**
 * Finds what processes that were killed have left in the ledger, and says again and again that this one lives. A process of this machine is
 * known by its pid; of others is known when they were heard of last.
 */

import { hostname } from "node:os";

import type { AttemptRecord, LedgerStore } from "../../sdk/ledger.ts";
import type { Logger } from "../../sdk/log.ts";
import type { Instance, PresenceStore } from "../../sdk/presence.ts";

export interface RecoveryOptions {
  readonly ledger: Pick<LedgerStore, "recover" | "prune">;
  readonly presence: PresenceStore;
  readonly instance: string;
  readonly logger: Logger;
  readonly wallClock: () => number;
  /** Rows are forgotten that are older; undefined: none. Asked each time. */
  readonly keptMs?: () => number | undefined;
  readonly beatMs?: number;
  /** Whoever was not heard of for so long is taken for dead. */
  readonly silentMs?: number;
}

export interface Recovery {
  /** One round: tells that this process lives, and recovers what others left. @returns what was recovered */
  round(): Promise<readonly AttemptRecord[]>;
  /** Rounds go on until closed. */
  start(): void;
  close(): Promise<void>;
}

const usualBeatMs = 15_000;
const usualSilentMs = 60_000;
const forgetEveryMs = 600_000;

/** Instances of this very process. */
const here = new Set<string>();

export function createRecovery(options: RecoveryOptions): Recovery {
  const { ledger, presence, instance, logger, wallClock, keptMs, beatMs = usualBeatMs, silentMs = usualSilentMs } = options;
  const self: Instance = { id: instance, host: hostname(), pid: process.pid };
  here.add(instance);
  let timer: NodeJS.Timeout | undefined;
  let forgottenAt = -Infinity;
  let running: Promise<unknown> = Promise.resolve();

  async function round(): Promise<readonly AttemptRecord[]> {
    await presence.beat(self);
    const heard = await presence.heardOf(silentMs);
    const alive = heard.filter((each) => lives(each, self)).map(({ id }) => id);
    const recovered = await ledger.recover([...new Set([...alive, instance])], wallClock());
    if (recovered.length > 0)
      logger.warn({ attempts: recovered.length }, "requests of a process that was killed are in the ledger as unknown, at their estimates");
    await forget();
    return recovered;
  }

  async function forget(): Promise<void> {
    const kept = keptMs?.();
    const now = wallClock();
    if (kept === undefined || now - forgottenAt < forgetEveryMs) return;
    forgottenAt = now;
    const count = await ledger.prune(now - kept);
    if (count > 0) logger.info({ exchanges: count }, "old rows of the ledger were forgotten");
  }

  return {
    round,
    start() {
      timer = setInterval(() => {
        running = round().catch((error: unknown) =>
          logger.warn({ error }, "the ledger could not be looked through for what was left behind"),
        );
      }, beatMs);
      timer.unref();
    },
    async close() {
      clearInterval(timer);
      await running;
      here.delete(instance);
      try {
        await presence.leave(instance);
      } catch {
        // It is taken for dead before long.
      }
    },
  };
}

function lives({ id, host, pid }: Instance, self: Instance): boolean {
  if (id === self.id || host !== self.host) return true;
  // Another one that had the same pid is gone, or we would not have it.
  if (pid === self.pid) return here.has(id);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
