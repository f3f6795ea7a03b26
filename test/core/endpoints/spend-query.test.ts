import { describe, expect, test } from "vitest";

import { noon, spend, startSpendServer } from "./spend-server.ts";

describe("what cannot be read is refused by name", () => {
  test.each([
    ["/spend/logs?start_date=yesterday", "start_date"],
    ["/spend/logs?end_date=2026-02-30", "end_date"],
    ["/spend/logs?end_date=2026-11-23T25:00", "end_date"],
    ["/spend/logs?start_date=2026-11-24&end_date=2026-11-23", "start_date"],
    ["/spend/logs?start_date=2026-11-24&start_date=2026-11-23", "start_date"],
    ["/spend/logs?summarize=perhaps", "summarize"],
    ["/spend/logs?limit=0", "limit"],
    ["/spend/logs?limit=10001", "limit"],
    ["/spend/tags?start_date=1", "start_date"],
    ["/global/spend/report?start_date=2026-11-23", "end_date"],
    ["/global/spend/report?start_date=2026-11-23&end_date=2026-11-23&group_by=weather", "group_by"],
    ["/global/spend/keys?limit=many", "limit"],
    ["/user/daily/activity?end_date=2026-11-23", "start_date"],
    ["/user/daily/activity?start_date=2026-11-23&end_date=2026-11-23&page=-1", "page"],
    ["/ccproxy/spend?by=weather", "by"],
    ["/ccproxy/spend?since=7%20days", "since"],
  ])("%s", async (path, name) => {
    const { get } = await startSpendServer("memory");
    const { status, body } = await get<{ readonly error: { readonly message: string } }>(path);
    expect(status).toBe(400);
    expect(body.error.message).toMatch(new RegExp(`^${name}: `));
  });

  test("times are taken with and without a zone, and an end that is a time is in the range", async () => {
    const { ledger, get } = await startSpendServer("memory");
    await spend(ledger, { id: "a", start: { startedAt: noon } });
    const count = async (range: string): Promise<number> => (await get(`/spend/logs?summarize=false&${range}`)).body.length;
    expect(await count("start_date=2026-11-23 12:00:00")).toBe(1);
    expect(await count("start_date=2026-11-23T13:00:00%2B01:00")).toBe(1);
    expect(await count("start_date=2026-11-23T12:00:01Z")).toBe(0);
    expect(await count("end_date=2026-11-23T12:00:00Z")).toBe(1);
    expect(await count("end_date=2026-11-23T11:59:59Z")).toBe(0);
  });
});
