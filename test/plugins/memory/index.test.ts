import { expect, test } from "vitest";

import { openMemory } from "../../../plugins/memory/index.ts";

test("brings every store but that of routing, each with its clock", async () => {
  const engine = openMemory({ now: () => 5, wallClock: () => 1000, maxCacheBytes: 2000 });
  await engine.ping();
  expect(engine.name).toBe("memory");
  expect(engine.routing).toBeUndefined();
  await engine.ledger.write([]);
  expect(await engine.keys.version()).toBe("0");
  const window = { kind: "window", key: "k", amount: 1, limit: 1, windowMs: 60 } as const;
  expect(await engine.limits.reserve("r", [window], 1000)).toMatchObject({ isGranted: true, states: [{ resetsInMs: 60 }] });
  await engine.cache.put("small", { storedAt: 0, head: "", body: new Uint8Array(10) }, 1);
  await engine.cache.put("large", { storedAt: 0, head: "", body: new Uint8Array(3000) }, 1);
  expect(await engine.cache.stats()).toEqual({ entries: 1, bytes: 10 });
  await engine.close();
});
