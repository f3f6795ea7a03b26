import { describe, expect, test } from "vitest";

import { idOf } from "../../../core/keys/secret.ts";
import { dayMs, type EngineName, hourMs, noon, type Row, spend, startSpendServer, virtualKey } from "./spend-server.ts";

const engines: readonly EngineName[] = ["memory", "sqlite"];
const rawKey = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
const keyId = idOf(rawKey);
const otherId = idOf("sk-other");

interface Activity {
  readonly results: readonly { readonly date: string; readonly metrics: Row; readonly breakdown: Readonly<Record<string, Row>> }[];
  readonly metadata: Row;
}

const unknown = { cost: null, costAsAsked: null };
const byKey = { caller: { kind: "key", keyId, keyAlias: "ci", userId: "ann", teamId: "t1" } };

describe.each(engines)("on %s", (engine) => {
  test("GET /spend/logs without dates: rows in LiteLLM's shape, newest first, open ones left out", async () => {
    const { ledger, get } = await startSpendServer(engine);
    await spend(ledger, { id: "old", start: { startedAt: noon - 2 * hourMs }, end: unknown });
    await spend(ledger, { id: "open", end: null });
    await spend(ledger, {
      id: "new",
      start: {
        caller: { ...byKey.caller, endUser: "customer", address: "10.0.0.1" },
        session: "s1",
        tags: ["b", "a"],
        metadata: { project: "x" },
      },
      attempts: [
        { deploymentId: "d0", apiBase: "https://broken.example", group: "big" },
        { reason: "fallback" },
        { reason: "hedge", deploymentId: "d2", apiBase: "https://late.example", group: "late" },
      ],
    });
    const { status, headers, body } = await get("/spend/logs");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(body.map((row) => [row["request_id"], row["spend"]])).toEqual([
      ["new", 0.25],
      ["old", null],
    ]);
    expect(body[0]).toMatchObject({
      call_type: "acompletion",
      api_key: keyId,
      prompt_tokens: 133,
      completion_tokens: 5,
      total_tokens: 138,
      startTime: "2026-11-23T11:00:00.000Z",
      endTime: "2026-11-23T11:00:02.000Z",
      completionStartTime: "2026-11-23T11:00:00.500Z",
      model: "claude-haiku-5-5",
      model_id: "d1",
      model_group: "small",
      custom_llm_provider: "anthropic",
      api_base: "https://api.anthropic.com",
      user: "ann",
      team_id: "t1",
      end_user: "customer",
      cache_hit: "False",
      request_tags: ["b", "a"],
      requester_ip_address: "10.0.0.1",
      session_id: "s1",
      status: "success",
      metadata: {
        user_api_key: keyId,
        user_api_key_alias: "ci",
        spend_logs_metadata: { project: "x" },
        usage_object: { cache_read_input_tokens: 100, cache_creation_input_tokens: 23 },
        error_information: null,
        ccproxy: {
          label: "default",
          model_asked: "opus",
          spend_as_asked: 1,
          attempts: [{ number: 1 }, { number: 2, reason: "fallback" }, { number: 3 }],
        },
      },
    });
  });

  test("GET /spend/logs by key (raw or hashed), user, request and pages", async () => {
    const { ledger, get } = await startSpendServer(engine);
    await spend(ledger, { id: "a", start: byKey });
    await spend(ledger, { id: "b", start: { caller: { kind: "key", keyId: otherId, userId: "bob" }, startedAt: noon - 2 * hourMs } });
    await spend(ledger, { id: "c", start: { startedAt: noon - 3 * hourMs } });
    const ids = async (query: string): Promise<unknown> => (await get(`/spend/logs?${query}`)).body.map((row) => row["request_id"]);
    expect(await ids(`api_key=${rawKey}`)).toEqual(["a"]);
    expect(await ids(`api_key=${otherId}`)).toEqual(["b"]);
    expect(await ids("user_id=bob")).toEqual(["b"]);
    expect(await ids("user_id=ann&request_id=b")).toEqual([]);
    expect(await ids("request_id=c&start_date=2026-11-23&end_date=2026-11-23")).toEqual(["c"]);
    const first = await get("/spend/logs?limit=2");
    expect(first.body).toHaveLength(2);
    expect(first.headers.get("x-ccproxy-next-before")).toBe("b");
    const second = await get("/spend/logs?limit=2&before=b");
    expect(second.body.map((row) => row["request_id"])).toEqual(["c"]);
    expect(second.headers.get("x-ccproxy-next-before")).toBeNull();
  });

  test("GET /spend/logs with dates: days added up and filled in, or rows when asked", async () => {
    const { ledger, get } = await startSpendServer(engine);
    await spend(ledger, { id: "a", start: { ...byKey, startedAt: noon - dayMs } });
    await spend(ledger, { id: "b", start: { ...byKey, startedAt: noon - dayMs }, end: { ...unknown, modelServed: "gpt" } });
    await spend(ledger, { id: "c", start: { startedAt: noon - 3 * dayMs } });
    await spend(ledger, { id: "before", start: { startedAt: Date.parse("2026-11-19T23:59:59.999Z") } });
    await spend(ledger, { id: "after", start: { startedAt: Date.parse("2026-11-24T00:00:00Z") } });
    const range = "start_date=2026-11-20&end_date=2026-11-23";
    expect((await get(`/spend/logs?${range}`)).body).toEqual([
      { startTime: "2026-11-20", spend: 0.25, unknown_cost_requests: 0, users: { "": 0.25 }, models: { "claude-haiku-5-5": 0.25 } },
      {
        startTime: "2026-11-22",
        spend: 0.25,
        unknown_cost_requests: 1,
        users: { ann: 0.25 },
        models: { "claude-haiku-5-5": 0.25, gpt: 0 },
        [keyId]: 0.25,
      },
      { startTime: "2026-11-23", spend: 0, unknown_cost_requests: 0, users: {}, models: {} },
    ]);
    const rows = (await get(`/spend/logs?${range}&summarize=false`)).body;
    expect(new Set(rows.map((row) => row["request_id"]))).toEqual(new Set(["a", "b", "c"]));
  });

  test("GET /global/spend and its parts: the last 30 days, unknown costs apart", async () => {
    const { ledger, keys, get } = await startSpendServer(engine);
    await keys.create("key", virtualKey(keyId, { alias: "ci" }));
    await spend(ledger, { id: "a", start: byKey });
    await spend(ledger, { id: "b", start: { caller: { kind: "key", keyId: otherId } }, end: { cost: 2_000_000_000, modelServed: "gpt" } });
    await spend(ledger, { id: "c", end: unknown });
    await spend(ledger, { id: "d", start: { startedAt: noon - 31 * dayMs } });
    expect((await get("/global/spend")).body).toEqual({ spend: 2.25, max_budget: null, unknown_cost_requests: 1 });
    expect((await get("/global/spend/keys")).body).toEqual([
      { api_key: otherId, key_alias: null, key_name: null, total_spend: 2, unknown_cost_requests: 0 },
      { api_key: keyId, key_alias: "ci", key_name: "sk-...abcd", total_spend: 0.25, unknown_cost_requests: 0 },
    ]);
    expect((await get("/global/spend/models?limit=1")).body).toEqual([{ model: "gpt", total_spend: 2, unknown_cost_requests: 0 }]);
    expect((await get("/global/spend/models")).body[1]).toEqual({ model: "claude-haiku-5-5", total_spend: 0.25, unknown_cost_requests: 1 });
  });

  test("GET /spend/tags counts a request for each of its tags", async () => {
    const { ledger, get } = await startSpendServer(engine);
    await spend(ledger, { id: "a", start: { tags: ["x", "y"] } });
    await spend(ledger, { id: "b", start: { tags: ["x"] }, end: unknown });
    await spend(ledger, { id: "c" });
    expect((await get("/spend/tags")).body).toEqual([
      { individual_request_tag: "x", log_count: 2, total_spend: 0.25, unknown_cost_requests: 1 },
      { individual_request_tag: "y", log_count: 1, total_spend: 0.25, unknown_cost_requests: 0 },
    ]);
    expect((await get("/spend/tags?start_date=2026-11-24&end_date=2026-11-24")).body).toEqual([]);
  });

  test("GET /global/spend/report by team, customer and key", async () => {
    const { ledger, keys, get } = await startSpendServer(engine);
    const owned = { models: [], metadata: {}, tags: [], isBlocked: false, createdAt: noon, updatedAt: noon };
    await keys.create("team", { ...owned, id: "t1", alias: "Research", members: [] });
    await spend(ledger, { id: "a", start: { caller: { ...byKey.caller, endUser: "acme" } } });
    await spend(ledger, { id: "b", start: byKey, end: { cost: 1_000_000_000, modelServed: "gpt" } });
    await spend(ledger, { id: "c", start: { startedAt: noon - dayMs }, end: unknown });
    const range = "start_date=2026-11-22&end_date=2026-11-23";
    const gpt = { model: "gpt", spend: 1, total_tokens: 138, api_key: keyId, unknown_cost_requests: 0 };
    const haiku = { model: "claude-haiku-5-5", spend: 0.25, total_tokens: 138, api_key: keyId, unknown_cost_requests: 0 };
    const nobody = { ...haiku, spend: 0, api_key: "", unknown_cost_requests: 1 };
    expect((await get(`/global/spend/report?${range}`)).body).toEqual([
      {
        group_by_day: "2026-11-22T00:00:00+00:00",
        teams: [{ team_name: "Unassigned", total_spend: 0, unknown_cost_requests: 1, metadata: [nobody] }],
      },
      {
        group_by_day: "2026-11-23T00:00:00+00:00",
        teams: [{ team_name: "Research", total_spend: 1.25, unknown_cost_requests: 0, metadata: [gpt, haiku] }],
      },
    ]);
    expect((await get(`/global/spend/report?${range}&group_by=customer`)).body).toEqual([
      {
        group_by_day: "2026-11-23T00:00:00+00:00",
        customers: [{ customer: "acme", total_spend: 0.25, unknown_cost_requests: 0, metadata: [haiku] }],
      },
    ]);
    const details = { total_input_tokens: 133, total_output_tokens: 5, unknown_cost_requests: 0 };
    expect((await get(`/global/spend/report?${range}&group_by=api_key&api_key=${rawKey}`)).body).toEqual([
      {
        api_key: keyId,
        total_cost: 1.25,
        total_input_tokens: 266,
        total_output_tokens: 10,
        unknown_cost_requests: 0,
        model_details: [
          { model: "gpt", total_cost: 1, ...details },
          { model: "claude-haiku-5-5", total_cost: 0.25, ...details },
        ],
      },
    ]);
  });

  test("customers are added up over more requests than are read at once", async () => {
    const { ledger, get } = await startSpendServer(engine);
    const count = 1100;
    for (let index = 0; index < count; index++)
      await spend(ledger, { id: `r${index}`, start: { caller: { kind: "key", keyId, endUser: "acme" } }, attempts: [] });
    const { body } = await get("/global/spend/report?start_date=2026-11-23&end_date=2026-11-23&group_by=customer");
    expect(body[0]?.["customers"]).toMatchObject([{ customer: "acme", total_spend: count / 4, metadata: [{ total_tokens: count * 138 }] }]);
  });

  test("GET /spend/keys and /spend/users: what was spent in the period of the budget, dearest first", async () => {
    const { ledger, keys, get } = await startSpendServer(engine);
    await keys.create("key", virtualKey(keyId, { alias: "ci", userId: "ann" }));
    await keys.create("key", virtualKey(otherId, { budgetDuration: "1d" }));
    const owned = { models: [], metadata: {}, tags: [], isBlocked: false, createdAt: noon, updatedAt: noon };
    await keys.create("user", { ...owned, id: "ann" });
    await keys.create("user", { ...owned, id: "bob" });
    await spend(ledger, { id: "a", start: { ...byKey, startedAt: noon - 40 * dayMs } });
    await spend(ledger, { id: "b", start: { caller: { kind: "key", keyId: otherId }, startedAt: noon - dayMs }, end: { cost: 1e12 } });
    await spend(ledger, { id: "c", start: { caller: { kind: "key", keyId: otherId } }, end: { cost: 1e8 } });
    const found = (await get("/spend/keys")).body.map((row) => [row["token"], row["key_alias"], row["spend"]]);
    expect(found).toEqual([
      [keyId, "ci", 0.25],
      [otherId, null, 0.1],
    ]);
    const users = (await get("/spend/users")).body.map((row) => [row["user_id"], row["spend"]]);
    expect(users).toEqual([
      ["ann", 0.25],
      ["bob", 0],
    ]);
    expect((await get("/spend/users?user_id=bob")).body).toHaveLength(1);
  });

  test("GET /user/daily/activity: days newest first with breakdowns, paged by day", async () => {
    const { ledger, keys, get } = await startSpendServer(engine);
    await keys.create("key", virtualKey(keyId, { alias: "ci", teamId: "t1" }));
    await spend(ledger, { id: "a", start: { ...byKey, startedAt: noon - dayMs } });
    await spend(ledger, { id: "b", start: { ...byKey, startedAt: noon } });
    await spend(ledger, { id: "c", start: { startedAt: noon }, end: { ...unknown, status: 500, modelServed: "gpt", provider: "openai" } });
    const { body } = await get<Activity>("/user/daily/activity?start_date=2026-11-22&end_date=2026-11-23");
    expect(body.results.map((result) => result.date)).toEqual(["2026-11-23", "2026-11-22"]);
    const one = {
      spend: 0.25,
      prompt_tokens: 133,
      completion_tokens: 5,
      total_tokens: 138,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 23,
      successful_requests: 1,
      failed_requests: 0,
      api_requests: 1,
      unknown_cost_requests: 0,
    };
    const failed = { ...one, spend: 0, successful_requests: 0, failed_requests: 1, unknown_cost_requests: 1 };
    const ofKey = { [keyId]: { metrics: one, metadata: { key_alias: "ci", team_id: "t1" } } };
    expect(body.results[0]).toMatchObject({
      metrics: { spend: 0.25, api_requests: 2, failed_requests: 1, unknown_cost_requests: 1, total_tokens: 276 },
      breakdown: { mcp_servers: {}, entities: {} },
    });
    expect(body.results[0]?.breakdown["models"]).toEqual({
      "claude-haiku-5-5": { metrics: one, metadata: {}, api_key_breakdown: ofKey },
      gpt: { metrics: failed, metadata: {}, api_key_breakdown: {} },
    });
    expect(Object.keys(body.results[0]?.breakdown["providers"] ?? {}).sort()).toEqual(["anthropic", "openai"]);
    expect(body.results[0]?.breakdown["api_keys"]).toEqual(ofKey);
    expect(body.metadata).toMatchObject({
      total_spend: 0.5,
      total_prompt_tokens: 399,
      total_completion_tokens: 15,
      total_tokens: 414,
      total_api_requests: 3,
      total_successful_requests: 2,
      total_failed_requests: 1,
      unknown_cost_requests: 1,
      page: 1,
      total_pages: 1,
      has_more: false,
    });
    const second = (await get<Activity>("/user/daily/activity?start_date=2026-11-22&end_date=2026-11-23&page=2&page_size=1")).body;
    expect(second).toMatchObject({
      results: [{ date: "2026-11-22" }],
      metadata: { page: 2, total_pages: 2, has_more: false, total_spend: 0.25 },
    });
    const ofGpt = (await get<Activity>("/user/daily/activity?start_date=2026-11-22&end_date=2026-11-23&model=gpt")).body;
    expect(ofGpt).toMatchObject({ results: [{ date: "2026-11-23", metrics: failed }], metadata: { total_api_requests: 1 } });
  });
});
