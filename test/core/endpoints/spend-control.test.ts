import { describe, expect, test } from "vitest";

import { idOf } from "../../../core/keys/secret.ts";
import { dayMs, type EngineName, noon, type Row, spend, startSpendServer, virtualKey } from "./spend-server.ts";

const engines: readonly EngineName[] = ["memory", "sqlite"];
const rawKey = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
const keyId = idOf(rawKey);

interface Table {
  readonly from: string | null;
  readonly rows: readonly Row[];
  readonly total: Row;
}

const unknown = { cost: null, costAsAsked: null };
const byKey = { caller: { kind: "key", keyId, keyAlias: "ci", userId: "ann", teamId: "t1" } };

describe.each(engines)("on %s", (engine) => {
  test("GET /ccproxy/spend: rows by a grouping and a total that counts each request once", async () => {
    const { ledger, keys, get } = await startSpendServer(engine);
    await keys.create("key", virtualKey(keyId, { alias: "ci" }));
    await spend(ledger, { id: "a", start: { ...byKey, session: "s1", tags: ["x", "y"] } });
    await spend(ledger, { id: "b", start: { session: "s2" }, end: { ...unknown, isCacheHit: true } });
    await spend(ledger, { id: "c", start: { session: "s1", startedAt: noon - 8 * dayMs } });
    const figures = {
      requests: 1,
      cost_usd: 0.25,
      unknown_cost_requests: 0,
      saved_usd: 0.75,
      tokens: { input: 10, output: 5, cache_read: 100, cache_write: 23, reasoning: 2 },
      cache_hits: 0,
    };
    const none = { ...figures, cost_usd: null, saved_usd: null, unknown_cost_requests: 1, cache_hits: 1 };
    expect((await get<Table>("/ccproxy/spend?by=session")).body).toEqual({
      from: "2026-11-16T12:00:00.000Z",
      to: "2026-11-23T12:00:00.000Z",
      by: "session",
      rows: [
        { name: "s1", ...figures },
        { name: "s2", ...none },
      ],
      total: expect.objectContaining({ requests: 2, cost_usd: 0.25, unknown_cost_requests: 1, cache_hits: 1 }),
    });
    const named = async (query: string): Promise<unknown> =>
      (await get<Table>(`/ccproxy/spend?${query}`)).body.rows.map((row) => [row["name"], row["requests"]]);
    expect(await named("by=key")).toEqual([
      ["ci", 1],
      ["", 1],
    ]);
    expect(await named("by=tag")).toEqual([
      ["x", 1],
      ["y", 1],
      ["", 1],
    ]);
    expect((await get<Table>("/ccproxy/spend?by=tag")).body.total["requests"]).toBe(2);
    expect(await named("by=day&since=all")).toEqual([
      ["2026-11-15", 1],
      ["2026-11-23", 2],
    ]);
    expect(await named("by=label&since=2026-11-24")).toEqual([]);
    expect((await get<Table>("/ccproxy/spend?since=all")).body.from).toBeNull();
    expect((await get<Table>("/ccproxy/spend?since=30m")).body.total).toMatchObject({ requests: 0, cost_usd: 0 });
  });
});
