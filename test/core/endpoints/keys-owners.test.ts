import { describe, expect, test } from "vitest";

import { idOf } from "../../../core/keys/secret.ts";
import { noon, startKeyServer } from "./keys-server.ts";
import { spend } from "./spend-server.ts";

describe.each(["memory", "sqlite"] as const)("in %s", (engine) => {
  test("users: new with a key, info, update, list, delete", async () => {
    const { post, get, keys, ledger, make } = await startKeyServer(engine);
    const made = await post("/user/new", { user_id: "ada", user_email: "Ada@example.com", max_budget: 10, user_role: "proxy_admin" });
    const id = idOf(String(made.body["key"]));
    expect(made.body).toMatchObject({ user_id: "ada", max_budget: 10, token: id, spend: 0, user_role: "proxy_admin" });
    expect(await keys.get("key", id)).toMatchObject({ userId: "ada" });
    expect(await post("/user/new", { user_id: "ada" })).toMatchObject({ status: 409, body: { error: { code: "409" } } });
    expect((await keys.list("key", { limit: 1, offset: 0 }, { userId: "ada" })).total).toBe(1);
    expect((await post("/user/new", { user_id: "bob", auto_create_key: false })).body).toMatchObject({
      key: null,
      user_role: "internal_user",
    });
    await post("/team/new", { team_id: "writers", members_with_roles: [{ user_id: "ada", role: "user" }] });
    await spend(ledger, { id: "1", start: { caller: { kind: "key", keyId: id, userId: "ada" } } });

    expect((await get("/user/info?user_id=ada")).body).toMatchObject({
      user_id: "ada",
      user_info: { max_budget: 10, spend: 0.25 },
      keys: [{ token: id, spend: 0.25 }],
      teams: [{ team_id: "writers", spend: 0 }],
    });
    expect((await get("/user/info?user_id=eve")).status).toBe(404);
    expect((await get("/user/info")).status).toBe(400);
    const updated = await post("/user/update", { user_id: "ada", max_budget: 20 });
    expect(updated.body).toMatchObject({ user_id: "ada", max_budget: 20, data: { user_email: "Ada@example.com", max_budget: 20 } });
    expect((await post("/user/update", { user_id: "eve", max_budget: 20 })).status).toBe(404);

    expect((await get("/user/list?page_size=1")).body).toMatchObject({ total: 2, page: 1, page_size: 1, total_pages: 2 });
    expect((await get("/user/list?user_email=ada@")).body).toMatchObject({ users: [{ user_id: "ada", key_count: 1, spend: 0.25 }] });
    expect((await get("/user/list?role=internal_user")).body).toMatchObject({ total: 1, users: [{ user_id: "bob" }] });
    expect((await get("/user/list?user_ids=bob,eve")).body).toMatchObject({ total: 1 });

    const other = await make({ key_alias: "stays" });
    expect((await post("/user/delete", { user_ids: ["ada", "eve"] })).status).toBe(404);
    expect(await keys.get("user", "ada")).toBeDefined();
    expect(await post("/user/delete", { user_ids: ["ada", "ada"] })).toMatchObject({ status: 200, body: 1 });
    expect(await keys.get("user", "ada")).toBeUndefined();
    expect(await keys.get("key", id)).toBeUndefined();
    expect(await keys.get("key", other.id)).toBeDefined();
    expect(await keys.get("team", "writers")).toMatchObject({ members: [] });
  });

  test("teams: new, members, block, update, delete", async () => {
    const { post, get, keys, make, ledger } = await startKeyServer(engine);
    const made = await post("/team/new", { team_id: "writers", team_alias: "Writers", max_budget: 50, budget_duration: "30d" });
    expect(made.body).toMatchObject({ team_id: "writers", team_alias: "Writers", max_budget: 50, members_with_roles: [] });
    expect(await post("/team/new", { team_id: "writers" })).toMatchObject({ status: 400, body: { error: { param: "team_id" } } });

    const member = [
      { user_id: "ada", role: "admin", max_budget_in_team: 3 },
      { user_id: "bob", role: "user" },
    ];
    const added = await post("/team/member_add", { team_id: "writers", member, max_budget_in_team: 2 });
    expect(added.body).toMatchObject({
      members_with_roles: [
        { user_id: "ada", role: "admin", max_budget_in_team: 3 },
        { user_id: "bob", role: "user", max_budget_in_team: 2 },
      ],
      updated_users: [{ user_id: "ada", user_role: "internal_user" }, { user_id: "bob" }],
      updated_team_memberships: [{ user_id: "ada", team_id: "writers" }, { user_id: "bob" }],
    });
    expect(await keys.get("user", "ada")).toBeDefined();
    const again = await post("/team/member_add", { team_id: "writers", member: { user_id: "ada", role: "user" } });
    expect(again).toMatchObject({ status: 400, body: { error: { param: "member", message: expect.stringContaining('"ada"') } } });
    expect((await post("/team/member_add", { team_id: "none", member })).status).toBe(404);

    const ofBob = await make({ team_id: "writers", user_id: "bob" });
    const elsewhere = await make({ user_id: "bob" });
    const ofTeam = await make({ team_id: "writers" });
    await spend(ledger, { id: "1", start: { caller: { kind: "key", keyId: ofBob.id, userId: "bob", teamId: "writers" } } });
    await spend(ledger, {
      id: "2",
      start: { startedAt: noon - 40 * 86_400_000, caller: { kind: "key", keyId: ofBob.id, teamId: "writers" } },
    });
    const info = await get("/team/info?team_id=writers");
    expect(info.body).toMatchObject({ team_id: "writers", team_info: { spend: 0.25, max_budget: 50 } });
    expect(info.body["keys"]).toHaveLength(2);
    expect((await get("/team/info?team_id=none")).status).toBe(404);
    expect((await get("/team/list")).body).toMatchObject([{ team_id: "writers", spend: 0.25 }]);
    expect((await get("/team/list?user_id=eve")).body).toEqual([]);

    expect((await post("/team/block", { team_id: "writers" })).body).toMatchObject({ blocked: true });
    expect(await keys.get("team", "writers")).toMatchObject({ isBlocked: true });
    expect((await post("/team/unblock", { team_id: "writers" })).body).toMatchObject({ blocked: false });
    expect((await post("/team/update", { team_id: "writers", max_budget: null })).body).toMatchObject({
      max_budget: null,
      data: { max_budget: null },
    });

    const left = await post("/team/member_delete", { team_id: "writers", user_id: "bob" });
    expect(left.body).toMatchObject({ members_with_roles: [{ user_id: "ada" }] });
    expect(await keys.get("key", ofBob.id)).toBeUndefined();
    expect(await keys.get("key", elsewhere.id)).toBeDefined();
    expect((await post("/team/member_delete", { team_id: "writers", user_id: "bob" })).status).toBe(404);
    await post("/user/update", { user_id: "ada", user_email: "ada@example.com" });
    expect((await post("/team/member_delete", { team_id: "writers", user_email: "ada@example.com" })).body).toMatchObject({
      members_with_roles: [],
    });

    expect((await post("/team/delete", { team_ids: ["writers", "none"] })).status).toBe(404);
    expect((await post("/team/delete", { team_ids: ["writers"] })).body).toEqual({ deleted_teams: ["writers"] });
    expect(await keys.get("key", ofTeam.id)).toBeUndefined();
    expect(await keys.get("key", elsewhere.id)).toBeDefined();
  });

  test("budgets: new, info, update, list, delete", async () => {
    const { post, get, keys, make } = await startKeyServer(engine);
    const made = await post("/budget/new", { budget_id: "small", max_budget: 1, budget_duration: "1d", rpm_limit: 3 });
    expect(made.body).toMatchObject({ budget_id: "small", max_budget: 1, rpm_limit: 3 });
    expect(await post("/budget/new", { budget_id: "small" })).toMatchObject({ status: 400, body: { error: { param: "budget_id" } } });
    expect((await post("/budget/update", { budget_id: "small", max_budget: 2, rpm_limit: null })).body).toMatchObject({
      max_budget: 2,
      rpm_limit: null,
    });
    expect((await post("/budget/update", { budget_id: "none" })).status).toBe(404);
    expect((await post("/budget/info", { budgets: ["small", "none"] })).body).toMatchObject([{ budget_id: "small", max_budget: 2 }]);
    expect((await get("/budget/list")).body).toMatchObject([{ budget_id: "small" }]);
    await make({ budget_id: "small" });
    await post("/user/new", { user_id: "ada", budget_id: "small", auto_create_key: false });
    expect((await post("/budget/delete", { id: "small" })).body).toMatchObject({
      budget_id: "small",
      notes: ["2 of keys, users and teams named this budget; its limits hold for them no more."],
    });
    expect(await keys.get("budget", "small")).toBeUndefined();
    expect((await post("/budget/delete", { id: "small" })).status).toBe(404);
    for (const [path, body] of [
      ["/user/new", { budget_id: "small" }],
      ["/user/update", { user_id: "ada", budget_id: "other" }],
      ["/team/new", { budget_id: "small" }],
    ] as const)
      expect(await post(path, body)).toMatchObject({ status: 400, body: { error: { param: "budget_id" } } });
  });
});
