import { randomBytes } from "node:crypto";

import { Client } from "pg";
import { expect, test, vi } from "vitest";

import type { Demand } from "../../../sdk/limits.ts";
import { runSql } from "../../servers/postgres.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();
const slot: Demand = { kind: "slot", key: "slot", limit: 1 };

test("the server's clock decides, and not that of the process", async () => {
  const url = await engines.server.createDatabase();
  const engine = await engines.open({ url });
  vi.useFakeTimers({ toFake: ["Date"], now: 0 });
  try {
    await engine.limits.reserve("r", [{ kind: "window", key: "w", amount: 1, limit: 9, windowMs: 3_600_000 }, slot], 1);
    const [row] = await runSql(url, "select ends_at - extract(epoch from now())::float8 * 1000 as left from ccproxy.counters");
    expect(Number(row?.["left"])).toBeGreaterThan(3_500_000);
    expect(Number(row?.["left"])).toBeLessThanOrEqual(3_600_000);
    // Its lease of a millisecond is over as soon as the server says so.
    await vi.waitFor(async () => expect(await engine.limits.reserve("s", [slot], 1000)).toMatchObject({ isGranted: true }));
  } finally {
    vi.useRealTimers();
  }
});

test("reservations of the same counters in any order wait for each other, and never in a circle", async () => {
  const stores = (await engines.openTwo()).map(({ limits }) => limits);
  const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
  const granted = await Promise.all(
    Array.from({ length: 400 }, async (_, index) => {
      const turned = [...keys.slice(index % 12), ...keys.slice(0, index % 12)];
      const ordered = index % 2 === 0 ? turned : turned.toReversed();
      const demands = ordered.map((key): Demand => ({ kind: "window", key, amount: 1, limit: 1e6, windowMs: 3_600_000 }));
      const id = `r${index}`;
      const answer = await stores[index % 2]?.reserve(id, demands, 10_000);
      await stores[(index + 1) % 2]?.renew([`r${(index + 1) % 400}`, id], 10_000);
      await (index % 3 === 0 ? stores[0]?.release(id) : stores[1]?.settle(id, []));
      return answer?.isGranted;
    }),
  );
  expect(granted).not.toContain(false);
  const states = await stores[0]?.read(keys);
  expect(states?.map(({ used }) => used)).toEqual(keys.map(() => 266));
});

test("one id at once from many processes is one reservation", async () => {
  const stores = (await engines.openTwo()).map(({ limits }) => limits);
  const demands: Demand[] = [{ kind: "window", key: "w", amount: 2, limit: 3, windowMs: 3_600_000 }, slot];
  const answers = await Promise.all(Array.from({ length: 20 }, async (_, index) => stores[index % 2]?.reserve("same", demands, 10_000)));
  for (const answer of answers) expect(answer).toMatchObject({ isGranted: true, states: [{ used: 2 }, { used: 1 }] });
});

test("of several ends of one reservation at once only one counts", async () => {
  const url = await engines.server.createDatabase();
  const { limits } = await engines.open({ url });
  await limits.reserve("r", [{ kind: "window", key: "w", amount: 5, limit: 100, windowMs: 3_600_000 }, slot], 10_000);
  // As long as somebody else holds the row, all of them have seen that it is there.
  const holder = new Client({ connectionString: url });
  await holder.connect();
  await holder.query("begin; select from ccproxy.reservations for update");
  const ends = Promise.all([limits.settle("r", [7]), limits.settle("r", [7]), limits.release("r"), limits.settle("r", [7])]);
  const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
  await vi.waitFor(async () => expect(await runSql(url, waiting)).toHaveLength(4), { timeout: 10_000 });
  await holder.end();
  await ends;
  const [window, slots] = await limits.read(["w", "slot"]);
  expect([0, 7]).toContain(window?.used);
  expect(slots?.used).toBe(0);
});

test("names of any length are counters of their own", async () => {
  const [{ limits }] = await engines.openTwo();
  // What repeats itself would be compressed.
  const long = randomBytes(50_000).toString("hex");
  const keys = [long, `${long}y`, "é\0", "é"];
  for (const [index, key] of keys.entries())
    await limits.reserve(`r${index}`, [{ kind: "window", key, amount: index + 1, limit: 10, windowMs: 3_600_000 }], 10_000);
  expect((await limits.read(keys)).map(({ key, used }) => [key.length, used])).toEqual([
    [100_000, 1],
    [100_001, 2],
    [2, 3],
    [1, 4],
  ]);
});

test("what is long over is forgotten, and nothing else", async () => {
  const url = await engines.server.createDatabase();
  let time = 0;
  const { limits } = await engines.open({ url, wallClock: () => time });
  const lasting: Demand = { kind: "budget", key: "b", amount: 1, limit: 9, period: "p", endsInMs: undefined, spent: 0 };
  const window: Demand = { kind: "window", key: "w", amount: 1, limit: 9, windowMs: 1000 };
  await limits.reserve("old", [slot, lasting, window], 1000);
  time += 86_400_000 + 1000;
  await limits.reserve(
    "new",
    [
      { ...slot, key: "other" },
      { ...window, key: "v" },
    ],
    1000,
  );
  await runSql(url, "select ccproxy.forget_limits($1)", [time]);
  expect(await runSql(url, "select key from ccproxy.counters order by key")).toEqual([{ key: "b" }, { key: "v" }]);
  expect(await runSql(url, "select id from ccproxy.reservations")).toEqual([{ id: "new" }]);
  expect(await runSql(url, "select key from ccproxy.slots")).toEqual([{ key: "other" }]);
});
