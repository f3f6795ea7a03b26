import { hostname } from "node:os";

import { beforeEach, describe, expect, test } from "vitest";

import { createRecovery } from "../../../core/stores/recovery.ts";
import { openSqlite, type SqliteEngine } from "../../../plugins/sqlite/index.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { silent } from "../../helpers/silent.ts";

let store: SqliteEngine;
let now: number;

beforeEach(() => {
  now = 1_000_000;
  const directory = mkdtempSync(path.join(tmpdir(), "ccproxy-recovery-"));
  store = openSqlite({ path: path.join(directory, "x.db"), wallClock: () => now });
  onTestFinished(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
});

const recovery = (instance: string, keptMs?: number): ReturnType<typeof createRecovery> =>
  createRecovery({ ...store, instance, logger: silent, wallClock: () => now, keptMs: () => keptMs });

async function reserve(instance: string, id: string): Promise<void> {
  await store.ledger.write([
    {
      type: "exchange",
      row: { id, instance, startedAt: now, operation: "generate", caller: { kind: "master" }, label: "default", modelAsked: "m", tags: [] },
    },
    {
      type: "attempt",
      row: {
        exchangeId: id,
        number: 1,
        instance,
        startedAt: now,
        deploymentId: "d",
        group: "g",
        provider: "p",
        model: "m",
        apiBase: "b",
        reason: "first",
        estimate: 70,
      },
    },
  ]);
}

/** A process of this machine that is not there. */
const noPid = 2 ** 22 + 1;

describe("recovery", () => {
  test("finds what a process of this machine has left that is not there any more", async () => {
    await store.presence.beat({ id: "dead", host: hostname(), pid: noPid });
    await reserve("dead", "a");
    const [found] = await recovery("own").round();
    expect(found).toMatchObject({ exchangeId: "a", state: "unknown", settlement: { cost: 70, isEstimate: true } });
  });

  test("leaves alone what it does itself, and what others do that live", async () => {
    const [own, other] = [recovery("own"), recovery("other")];
    await other.round();
    await store.presence.beat({ id: "elsewhere", host: "another-machine", pid: 1 });
    for (const instance of ["own", "other", "elsewhere"]) await reserve(instance, `of ${instance}`);
    expect(await own.round()).toEqual([]);
    now += 61_000;
    await other.round();
    expect(await own.round()).toEqual([]);
    expect(await store.ledger.attempts("of elsewhere")).toMatchObject([{ state: "unknown" }]);
    expect(await store.ledger.attempts("of other")).toMatchObject([{ state: "reserved" }]);
  });

  test("one that has left in good order is known no more", async () => {
    const own = recovery("own");
    await own.round();
    expect(await store.presence.heardOf(60_000)).toMatchObject([{ id: "own", host: hostname(), pid: process.pid }]);
    await own.close();
    expect(await store.presence.heardOf(60_000)).toEqual([]);
  });

  test("forgets what is older than it is to be kept", async () => {
    await reserve("own", "old");
    now += 100_000;
    await reserve("own", "new");
    await recovery("own", 50_000).round();
    expect((await store.ledger.exchanges({}, 10)).map(({ id }) => id)).toEqual(["new"]);
  });
});
