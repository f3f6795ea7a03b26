/** How many attempts a deployment may have under way at a time. Who comes when all slots are taken waits; nobody is turned away. */

import type { RoutingParams } from "../config/router-types.ts";

interface Waiter {
  readonly limit: number;
  admit(): void;
}

interface Lane {
  taken: number;
  /** In the order in which they came. */
  readonly waiting: Set<Waiter>;
}

export class Slots {
  /** Only those with somebody in them. */
  readonly #lanes = new Map<string, Lane>();

  /**
   * @param limit undefined: as many as come, and nothing is counted
   * @returns gives the slot back; only the first call counts
   * @throws the reason of the signal, once it is aborted
   */
  acquire(id: string, limit: number | undefined, signal: AbortSignal): Promise<() => void> | (() => void) {
    if (limit === undefined) return giveNothing;
    signal.throwIfAborted();
    const lane = this.#laneOf(id);
    if (lane.taken < limit && lane.waiting.size === 0) return this.#take(id, lane);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        lane.waiting.delete(waiter);
        // Those behind may have a higher limit, of a newer configuration.
        this.#admit(id, lane);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        limit,
        admit: () => {
          signal.removeEventListener("abort", leave);
          resolve(this.#take(id, lane));
        },
      };
      lane.waiting.add(waiter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** Slots that are taken, and who waits for one. */
  usage(id: string): { readonly taken: number; readonly waiting: number } {
    const lane = this.#lanes.get(id);
    return { taken: lane?.taken ?? 0, waiting: lane?.waiting.size ?? 0 };
  }

  #laneOf(id: string): Lane {
    const known = this.#lanes.get(id);
    if (known !== undefined) return known;
    const lane: Lane = { taken: 0, waiting: new Set() };
    this.#lanes.set(id, lane);
    return lane;
  }

  #take(id: string, lane: Lane): () => void {
    lane.taken++;
    let isGiven = false;
    return () => {
      if (isGiven) return;
      isGiven = true;
      lane.taken--;
      this.#admit(id, lane);
    };
  }

  #admit(id: string, lane: Lane): void {
    for (const waiter of lane.waiting) {
      if (lane.taken >= waiter.limit) break;
      lane.waiting.delete(waiter);
      waiter.admit();
    }
    if (lane.taken === 0 && lane.waiting.size === 0) this.#lanes.delete(id);
  }
}

function giveNothing(): void {}

/** As LiteLLM has it: where no number is named, what the limits of a minute come to. Undefined: as many as come. */
export function slotLimit(
  { maxParallelRequests, rpm, tpm }: Pick<RoutingParams, "maxParallelRequests" | "rpm" | "tpm">,
  usual: number | undefined,
): number | undefined {
  if (maxParallelRequests !== undefined) return maxParallelRequests;
  if (rpm !== undefined) return rpm;
  return tpm === undefined ? usual : Math.max(1, Math.floor((tpm / 1000) * requestsPerThousand));
}

/** What Azure grants a minute for each thousand tokens a minute. */
const requestsPerThousand = 6;
