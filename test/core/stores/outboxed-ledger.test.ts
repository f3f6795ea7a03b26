import { describe, expect, test } from "vitest";

import { type OutboxOptions, type OutboxedLedger, createOutboxedLedger } from "../../../core/stores/outboxed-ledger.ts";
import type { LedgerStore, LedgerWrite } from "../../../sdk/ledger.ts";
import type { Outbox, WaitingWrites } from "../../../sdk/outbox.ts";

class MemoryOutbox implements Outbox {
  #waiting: WaitingWrites[] = [];
  #id = 0;

  append(writes: readonly LedgerWrite[]): void {
    this.#waiting.push({ id: (this.#id += 1), writes });
  }

  peek(limit: number): readonly WaitingWrites[] {
    return this.#waiting.slice(0, limit);
  }

  removeUpTo(id: number): void {
    this.#waiting = this.#waiting.filter((each) => each.id > id);
  }

  count(): number {
    return this.#waiting.length;
  }
}

/** A server that can be away, and refuses what it is told to. */
function createServer(): {
  store: LedgerStore;
  taken: string[];
  isAway: boolean;
  refuses: string | undefined;
  fails: number;
  /** How many rows each call brought. */
  calls: number[];
  onWrite: (() => void) | undefined;
  onTaken: ((name: string) => void) | undefined;
  ping(): Promise<void>;
} {
  const server = {
    taken: [] as string[],
    isAway: false,
    refuses: undefined as string | undefined,
    fails: 0,
    calls: [] as number[],
    onWrite: undefined as (() => void) | undefined,
    onTaken: undefined as ((name: string) => void) | undefined,
    async ping() {
      if (server.isAway) throw new Error("away");
    },
    store: {
      async write(writes: readonly LedgerWrite[]) {
        await server.ping();
        server.onWrite?.();
        server.calls.push(writes.length);
        if (server.fails > 0) {
          server.fails -= 1;
          throw new Error("the connection broke");
        }
        const names = writes.map(nameOf);
        if (server.refuses !== undefined && names.includes(server.refuses)) throw new Error("refused");
        server.taken.push(...names);
        for (const name of names) server.onTaken?.(name);
      },
      recover: () => [],
      exchanges: () => [],
      attempts: () => [],
      totals: () => [],
      prune: () => 0,
      close: async () => undefined,
    },
  };
  return server;
}

function nameOf(write: LedgerWrite): string {
  return write.type === "end" ? write.row.id : "";
}

function write(name: string): readonly LedgerWrite[] {
  return [
    { type: "end", row: { id: name, endedAt: 1, outcome: "completed", status: 200, isCacheHit: false, ms: 1, cost: 1, costAsAsked: 1 } },
  ];
}

interface Scene {
  readonly server: ReturnType<typeof createServer>;
  readonly outbox: Outbox;
  readonly ledger: OutboxedLedger;
  readonly said: string[];
  /** Resolves with the next word. */
  readonly next: (word: string) => Promise<void>;
}

async function start(outbox: Outbox = new MemoryOutbox(), server = createServer(), isFlushed = true): Promise<Scene> {
  const said: string[] = [];
  const listeners = new Set<() => void>();
  const say = (word: string): void => {
    said.push(word);
    for (const listener of listeners) listener();
  };
  const options: OutboxOptions = {
    gatherMs: 1,
    batch: 100,
    retryMs: 1,
    onChange: (change) => say(change.isAway ? "away" : `back ${change.arrived}`),
    onRefused: (writes) => say(`refused ${writes.map(nameOf).join()}`),
  };
  const ledger = createOutboxedLedger(server.store, outbox, () => server.ping(), options);
  if (isFlushed) await ledger.flush();
  const next = (word: string): Promise<void> =>
    new Promise((resolve) => {
      const listener = (): void => {
        if (!said.includes(word)) return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
      listener();
    });
  return { server, outbox, ledger, said, next };
}

describe("a ledger with an outbox", () => {
  test("writes to its server while that is there", async () => {
    const { server, ledger } = await start();
    expect(ledger.write(write("a"))).toBeUndefined();
    expect(await ledger.waiting()).toBe(1);
    await ledger.flush();
    expect(server.taken).toEqual(["a"]);
    expect(await ledger.waiting()).toBe(0);
  });

  test("brings what comes together as one", async () => {
    const { server, ledger } = await start();
    for (const name of ["a", "b", "c"]) await ledger.write(write(name));
    await ledger.flush();
    expect(server.calls).toEqual([3]);
  });

  test("brings what is written while it is at it, without being asked again", async () => {
    const { server, ledger } = await start();
    const arrived = new Promise<void>((resolve) => (server.onTaken = (name) => name === "b" && resolve()));
    await ledger.write(write("a"));
    await Promise.resolve();
    server.onWrite = () => {
      server.onWrite = undefined;
      void ledger.write(write("b"));
    };
    await arrived;
    expect(server.taken).toEqual(["a", "b"]);
  });

  test("shows who reads what was written before", async () => {
    const { server, ledger } = await start();
    await ledger.write(write("a"));
    await ledger.exchanges({}, 10);
    expect(server.taken).toEqual(["a"]);
  });

  test("keeps what its server does not take, and brings it in its order when it is back", async () => {
    const { server, ledger, said, next } = await start();
    server.isAway = true;
    for (const name of ["a", "b", "c"]) await ledger.write(write(name));
    await ledger.flush();
    expect(server.taken).toEqual([]);
    expect(await ledger.waiting()).toBe(3);
    expect(said).toEqual(["away"]);
    server.isAway = false;
    await next("back 3");
    expect(server.taken).toEqual(["a", "b", "c"]);
    expect(await ledger.waiting()).toBe(0);
    await ledger.write(write("d"));
    await ledger.flush();
    expect(server.taken).toEqual(["a", "b", "c", "d"]);
  });

  test("lets nothing overtake what waits", async () => {
    const { server, ledger } = await start();
    server.isAway = true;
    await ledger.write(write("0"));
    server.isAway = false;
    await Promise.all(Array.from({ length: 300 }, async (_, index) => ledger.write(write(String(index + 1)))));
    await ledger.flush();
    expect(server.taken).toEqual(Array.from({ length: 301 }, (_, index) => String(index)));
    expect(await ledger.waiting()).toBe(0);
  });

  test("brings what an earlier process has left", async () => {
    const outbox = new MemoryOutbox();
    outbox.append(write("left"));
    const { server, ledger } = await start(outbox, createServer(), false);
    await ledger.write(write("new"));
    await ledger.flush();
    expect(server.taken).toEqual(["left", "new"]);
  });

  test("does not stop at what its server refuses, and tells of it", async () => {
    const { server, ledger, said } = await start();
    server.isAway = true;
    for (const name of ["a", "bad", "c"]) await ledger.write(write(name));
    server.refuses = "bad";
    server.isAway = false;
    await ledger.flush();
    expect(server.taken).toEqual(["a", "c"]);
    expect(said).toContain("refused bad");
    expect(await ledger.waiting()).toBe(0);
  });

  test("fails whoever writes when it cannot be kept here either", async () => {
    const outbox = new MemoryOutbox();
    const { ledger } = await start(outbox);
    outbox.append = () => {
      throw new Error("disk full");
    };
    expect(() => ledger.write(write("a"))).toThrow("disk full");
  });

  test("loses nothing to a server that was away for a moment only", async () => {
    const { server, ledger, said } = await start();
    server.fails = 1;
    await ledger.write(write("a"));
    server.isAway = true;
    await ledger.write(write("b"));
    server.isAway = false;
    server.fails = 1;
    await ledger.flush();
    expect(server.taken).toEqual(["a", "b"]);
    expect(said.filter((word) => word.startsWith("refused"))).toEqual([]);
  });

  test("keeps everything when it is closed while the server is away", async () => {
    const { server, ledger, outbox } = await start();
    server.isAway = true;
    await ledger.write(write("a"));
    await ledger.close();
    server.isAway = false;
    expect(await outbox.count()).toBe(1);
    expect(server.taken).toEqual([]);
  });
});
