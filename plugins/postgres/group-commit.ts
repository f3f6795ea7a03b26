/** Lets calls share a transaction: those that come while one is under way go together into the next. */

import { PostgresError } from "./errors.ts";

interface Waiting<Item> {
  readonly items: readonly Item[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommit<Item> {
  /** Resolves when its transaction has been committed; rejects when its own items could not be. */
  add(items: readonly Item[]): Promise<void>;
  /** Resolves when nothing is under way any more. */
  drain(): Promise<void>;
}

/** So that no statement grows without end; at least one call goes into each. */
const maxItems = 5000;

/** @param commit all of the items or none */
export function createGroupCommit<Item>(commit: (items: readonly Item[]) => Promise<void>): GroupCommit<Item> {
  let queue: Waiting<Item>[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    // The calls of this turn of the event loop are still to come.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) await commitGroup(nextGroup());
    running = undefined;
  }

  function nextGroup(): readonly Waiting<Item>[] {
    let items = 0;
    let end = queue.findIndex((waiting) => (items += waiting.items.length) > maxItems);
    if (end === -1) end = queue.length;
    const group = queue.slice(0, Math.max(end, 1));
    queue = queue.slice(group.length);
    return group;
  }

  async function commitGroup(group: readonly Waiting<Item>[]): Promise<void> {
    try {
      await commit(group.flatMap(({ items }) => items));
      for (const { resolve } of group) resolve();
    } catch (error) {
      // Of a connection that is lost, each would only be told so once more, after as long a wait.
      const isHopeless = error instanceof PostgresError && error.isConnectionLoss;
      if (isHopeless || (group.length === 1 && !isTransient(error))) for (const { reject } of group) reject(error);
      else for (const waiting of group) await commitAlone(waiting);
    }
  }

  async function commitAlone({ items, resolve, reject }: Waiting<Item>): Promise<void> {
    try {
      await commit(items).catch(async (error: unknown) => {
        if (!isTransient(error)) throw error;
        await commit(items);
      });
      resolve();
    } catch (error) {
      reject(error);
    }
  }

  return {
    async add(items) {
      await new Promise<void>((resolve, reject) => {
        queue.push({ items, resolve, reject });
        running ??= run();
      });
    },
    async drain() {
      await running;
    },
  };
}

function isTransient(error: unknown): boolean {
  return error instanceof PostgresError && error.isTransient;
}
