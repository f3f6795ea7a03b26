import { describe, expect, test } from "vitest";

import { idOf } from "../../../core/keys/secret.ts";
import { type EngineName, type Row, secret, spend, startSpendServer, virtualKey } from "./spend-server.ts";

const engines: readonly EngineName[] = ["memory", "sqlite"];
const rawKey = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
const keyId = idOf(rawKey);
const otherId = idOf("sk-other");

const byKey = { caller: { kind: "key", keyId, keyAlias: "ci", userId: "ann", teamId: "t1" } };

describe.each(engines)("on %s", (engine) => {
  test("a caller sees its own only, whatever it asks for", async () => {
    const { ledger, keys, get } = await startSpendServer(engine, { scopeOf: () => ({ keyId }) });
    await keys.create("key", virtualKey(keyId, { userId: "ann" }));
    await keys.create("key", virtualKey(otherId));
    await spend(ledger, { id: "mine", start: { ...byKey, tags: ["mine"] } });
    await spend(ledger, {
      id: "theirs",
      start: { caller: { kind: "key", keyId: otherId, userId: "bob", teamId: "t2", endUser: "acme" }, tags: ["theirs"], session: "theirs" },
      end: { modelServed: "theirs", cost: 7_000_000_000 },
    });
    const range = "start_date=2026-11-23&end_date=2026-11-23";
    const paths = [
      "/spend/logs",
      `/spend/logs?${range}`,
      "/spend/logs?request_id=theirs",
      `/spend/logs?api_key=${otherId}`,
      "/spend/tags",
      "/spend/keys",
      "/spend/users",
      "/spend/users?user_id=bob",
      "/global/spend",
      "/global/spend/keys",
      "/global/spend/models",
      `/global/spend/report?${range}&group_by=team`,
      `/global/spend/report?${range}&group_by=customer`,
      `/global/spend/report?${range}&group_by=api_key`,
      `/global/spend/report?${range}&group_by=customer&api_key=${otherId}`,
      `/user/daily/activity?${range}`,
      `/user/daily/activity?${range}&api_key=${otherId}`,
      "/ccproxy/spend?by=session",
      "/ccproxy/spend?by=key",
    ];
    for (const path of paths) {
      const { status, body } = await get(path);
      expect(status, path).toBe(200);
      expect(JSON.stringify(body), path).not.toMatch(new RegExp(`theirs"|bob|"t2|acme|:7[,}]|${otherId}`));
    }
    expect((await get<Row>("/global/spend")).body["spend"]).toBe(0.25);
    expect((await get("/spend/keys")).body).toHaveLength(1);
    // Not its own in the place of what it asked for.
    expect((await get(`/spend/logs?api_key=${otherId}`)).body).toEqual([]);
    expect((await get("/spend/logs?request_id=mine&user_id=bob")).body).toEqual([]);
  });

  test("secrets are taken out, wherever they stand, and the answer stays whole", async () => {
    const { ledger, get } = await startSpendServer(engine);
    await spend(ledger, {
      id: "a",
      start: { ...byKey, modelAsked: secret, session: secret, tags: [secret] },
      end: { modelServed: secret },
    });
    const range = "start_date=2026-11-23&end_date=2026-11-23";
    for (const path of ["/spend/logs", `/spend/logs?${range}`, "/spend/tags", `/user/daily/activity?${range}`, "/ccproxy/spend?by=model"]) {
      const text = JSON.stringify((await get(path)).body);
      expect(text, path).not.toContain(secret);
      expect(text, path).toContain("[redacted]");
    }
    expect((await get("/spend/logs")).body[0]).toMatchObject({ api_key: keyId, metadata: { user_api_key: keyId } });
  });
});

test("the guard stands before each of them", async () => {
  const { get } = await startSpendServer("memory", {
    guard: (ctx) => {
      ctx.status = 401;
      ctx.body = {};
    },
  });
  const paths = ["/spend/logs", "/spend/tags", "/spend/keys", "/spend/users", "/global/spend", "/global/spend/report"];
  for (const path of [...paths, "/global/spend/keys", "/global/spend/models", "/user/daily/activity", "/ccproxy/spend"])
    expect((await get(path)).status, path).toBe(401);
});
