import { describe, expect, test } from "vitest";

import { idOf } from "../../../core/keys/secret.ts";
import { noon, startKeyServer, type KeyServer } from "./keys-server.ts";

const manages = { allowed_routes: ["management_routes", "llm_api_routes"] };

/** Of a user with this role. */
async function keyOf({ post, make }: KeyServer, user: string, role: string, more: object = {}): Promise<string> {
  await post("/user/new", { user_id: user, user_role: role, auto_create_key: false });
  return (await make({ ...manages, user_id: user, ...more })).secret;
}

const changes: readonly (readonly [string, object])[] = [
  ["/user/new", { user_id: "x" }],
  ["/user/update", { user_id: "bob" }],
  ["/user/delete", { user_ids: ["bob"] }],
  ["/team/new", { team_id: "x" }],
  ["/team/update", { team_id: "writers" }],
  ["/team/delete", { team_ids: ["writers"] }],
  ["/team/block", { team_id: "writers" }],
  ["/team/unblock", { team_id: "writers" }],
  ["/team/member_add", { team_id: "writers", member: { user_id: "x", role: "user" } }],
  ["/team/member_delete", { team_id: "writers", user_id: "bob" }],
  ["/budget/new", { budget_id: "x" }],
  ["/budget/update", { budget_id: "small" }],
  ["/budget/delete", { id: "small" }],
];

describe("who may ask", () => {
  test("a key without management routes asks about itself, and of nothing else", async () => {
    const server = await startKeyServer("memory");
    const { secret, id } = await server.make({ key_alias: "one" });
    const other = await server.make({});
    expect((await server.get("/key/info", secret)).body).toMatchObject({ key: id });
    expect((await server.get(`/key/info?key=${other.secret}`, secret)).status).toBe(404);
    for (const path of ["/key/list", "/user/info", "/team/list", "/budget/list"])
      expect(await server.get(path, secret)).toMatchObject({
        status: 403,
        body: { error: { type: "auth_error", code: "403", message: expect.stringContaining(`Tried to call route: ${path}`) } },
      });
    expect((await server.post("/key/generate", {}, secret)).status).toBe(403);
    const others = await server.make({ allowed_routes: ["/v1/messages"] });
    expect((await server.get("/key/info", others.secret)).status).toBe(403);
  });

  test("no key, a blocked one, one that is over, one from elsewhere", async () => {
    const server = await startKeyServer("memory");
    expect(await server.get("/key/list", "sk-nobody")).toMatchObject({ status: 401, body: { error: { type: "auth_error", code: "401" } } });
    const blocked = await server.make({ ...manages, blocked: true });
    expect(await server.get("/key/list", blocked.secret)).toMatchObject({ status: 401 });
    const over = await server.make(manages);
    await server.keys.update("key", over.id, (key) => ({ ...key, expiresAt: noon }));
    expect(await server.get("/key/info", over.secret)).toMatchObject({ status: 401, body: { error: { type: "expired_key" } } });
    const elsewhere = await server.make({ ...manages, allowed_ips: ["10.0.0.0/8"] });
    expect(await server.get("/key/list", elsewhere.secret)).toMatchObject({ status: 403 });
  });

  test("the guard comes first", async () => {
    const server = await startKeyServer("memory", {
      guard: (ctx) => {
        ctx.status = 418;
        ctx.body = {};
      },
    });
    expect((await server.post("/key/generate", {})).status).toBe(418);
    expect((await server.keys.list("key", { limit: 1, offset: 0 })).total).toBe(0);
  });

  test.each(changes)("%s is for admins of the proxy", async (path, body) => {
    const server = await startKeyServer("memory");
    await server.post("/team/new", { team_id: "writers", members_with_roles: [{ user_id: "bob", role: "user" }] });
    await server.post("/budget/new", { budget_id: "small" });
    await server.post("/user/new", { user_id: "bob", auto_create_key: false });
    const version = async (): Promise<string> => await server.keys.version();
    const ada = await keyOf(server, "ada", "internal_user");
    const viewer = await keyOf(server, "eve", "proxy_admin_viewer");
    const before = await version();
    expect((await server.post(path, body, ada)).status).toBe(403);
    expect((await server.post(path, body, viewer)).status).toBe(403);
    expect(await version()).toBe(before);
    const admin = await keyOf(server, "root", "proxy_admin");
    expect((await server.post(path, body, admin)).status).toBe(200);
  });

  test("a viewer of the proxy sees all and changes nothing, not even its own key", async () => {
    const server = await startKeyServer("memory");
    const { id } = await server.make({ key_alias: "one" });
    await server.post("/budget/new", { budget_id: "small" });
    const viewer = await keyOf(server, "eve", "proxy_admin_viewer");
    expect((await server.get(`/key/info?key=${id}`, viewer)).status).toBe(200);
    expect((await server.get("/key/list", viewer)).body).toMatchObject({ total_count: 2 });
    expect((await server.get("/user/list", viewer)).status).toBe(200);
    expect((await server.post("/budget/info", { budgets: ["small"] }, viewer)).status).toBe(200);
    for (const key of [id, idOf(viewer)])
      for (const path of ["/key/update", "/key/block", "/key/regenerate"])
        expect((await server.post(path, { key }, viewer)).status).toBe(403);
    expect((await server.post("/key/delete", { keys: [id] }, viewer)).status).toBe(403);
    expect((await server.post("/key/generate", {}, viewer)).status).toBe(403);
  });
});

describe("a key in charge of others", () => {
  test("sees and changes those of its user, and those it has made", async () => {
    const server = await startKeyServer("memory");
    const ada = await keyOf(server, "ada", "internal_user");
    const bobs = await server.make({ user_id: "bob", key_alias: "bobs" });
    const nobodys = await server.make({});
    const own = await server.make({ user_id: "ada" }, ada);
    expect((await server.get("/key/list", ada)).body).toMatchObject({ total_count: 2, keys: expect.arrayContaining([own.id, idOf(ada)]) });
    for (const { id, secret } of [bobs, nobodys]) {
      expect((await server.get(`/key/info?key=${secret}`, ada)).status).toBe(404);
      for (const path of ["/key/update", "/key/block", "/key/unblock", "/key/regenerate"])
        expect((await server.post(path, { key: id }, ada)).status).toBe(404);
      expect((await server.post("/key/delete", { keys: [id] }, ada)).status).toBe(404);
    }
    expect((await server.post("/key/delete", { key_aliases: ["bobs"] }, ada)).status).toBe(404);
    expect((await server.post("/key/block", { key: own.id }, ada)).status).toBe(200);
    expect((await server.post("/key/delete", { keys: [own.id] }, ada)).status).toBe(200);
  });

  test("the key of a user in a team is not in charge of those that the user has elsewhere", async () => {
    const server = await startKeyServer("memory");
    await server.post("/team/new", { team_id: "writers" });
    const inTeam = await keyOf(server, "ada", "internal_user", { team_id: "writers" });
    const elsewhere = await server.make({ user_id: "ada" });
    const beside = await server.make({ user_id: "ada", team_id: "writers" });
    expect((await server.post("/key/block", { key: elsewhere.id }, inTeam)).status).toBe(404);
    expect((await server.post("/key/block", { key: beside.id }, inTeam)).status).toBe(200);
  });

  test("nobody's keys are not one another's, but for those it has made", async () => {
    const server = await startKeyServer("memory");
    const chief = await server.make(manages);
    const other = await server.make({});
    expect((await server.post("/key/regenerate", { key: other.id }, chief.secret)).status).toBe(404);
    const own = await server.make({}, chief.secret);
    expect((await server.post("/key/regenerate", { key: own.id }, chief.secret)).status).toBe(200);
  });

  test.each([
    ["more models", { models: ["opus", "haiku"] }, "models"],
    ["all models", {}, "models"],
    ["a larger budget", { models: ["opus"], max_budget: 6 }, "max_budget"],
    ["no budget", { models: ["opus"], max_budget: null }, "max_budget"],
    ["another user", { models: ["opus"], max_budget: 1, user_id: "bob" }, "user_id"],
    ["all routes", { models: ["opus"], max_budget: 1, user_id: "ada", allowed_routes: ["*"] }, "allowed_routes"],
  ])("grants no more than it has: %s", async (_name, body, field) => {
    const server = await startKeyServer("memory");
    const ada = await keyOf(server, "ada", "internal_user", { models: ["opus"], max_budget: 5 });
    const refused = await server.post("/key/generate", { user_id: "ada", ...body }, ada);
    expect(refused).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining(`${field}:`), code: "403" } } });
    // Neither to one that it has.
    const own = await server.make({ user_id: "ada", models: ["opus"], max_budget: 1 }, ada);
    const before = await server.keys.get("key", own.id);
    const update = "models" in body ? body : { models: null };
    expect((await server.post("/key/update", { key: own.id, ...update }, ada)).status).toBe(403);
    expect((await server.post("/key/regenerate", { key: own.id, ...update }, ada)).status).toBe(403);
    expect(await server.keys.get("key", own.id)).toEqual(before);
  });

  test("nor by a budget that it names, nor of what it may not have itself", async () => {
    const server = await startKeyServer("memory");
    await server.post("/budget/new", { budget_id: "large", max_budget: 100 });
    const ada = await keyOf(server, "ada", "internal_user", { max_budget: 5 });
    expect((await server.post("/key/generate", { user_id: "ada", budget_id: "large" }, ada)).status).toBe(403);
    // Its secret would be worth more than the key that asks for it.
    const richer = await server.make({ user_id: "ada", max_budget: 50 });
    expect((await server.post("/key/regenerate", { key: richer.id }, ada)).status).toBe(403);
    expect(await server.keys.get("key", richer.id)).toBeDefined();
    expect((await server.post("/key/update", { key: idOf(ada), max_budget: 6 }, ada)).status).toBe(403);
    expect((await server.post("/key/update", { key: idOf(ada), spend: 0 }, ada)).status).toBe(403);
    expect((await server.post("/key/update", { key: idOf(ada), max_budget: 4 }, ada)).status).toBe(200);
  });

  test("does not unblock, by whatever way", async () => {
    const server = await startKeyServer("memory");
    const ada = await keyOf(server, "ada", "internal_user");
    const { id } = await server.make({ user_id: "ada", blocked: true });
    for (const [path, more] of [
      ["/key/unblock", {}],
      ["/key/update", { blocked: false }],
      ["/key/update", { blocked: null }],
      ["/key/regenerate", { blocked: false }],
    ] as const)
      expect((await server.post(path, { key: id, ...more }, ada)).status).toBe(403);
    expect(await server.keys.get("key", id)).toMatchObject({ isBlocked: true });
  });

  test("an admin of the proxy is held to its own limits, and does not change what it is held to", async () => {
    const server = await startKeyServer("memory");
    await server.post("/budget/new", { budget_id: "shared", max_budget: 5 });
    await server.post("/team/new", { team_id: "admins" });
    const root = await keyOf(server, "root", "proxy_admin", { budget_id: "shared", team_id: "admins" });
    expect((await server.post("/key/generate", { user_id: "bob" }, root)).status).toBe(403);
    expect((await server.post("/key/generate", { user_id: "bob", max_budget: 5 }, root)).status).toBe(200);
    expect((await server.post("/user/new", { user_id: "eve" }, root)).status).toBe(403);
    expect(await server.keys.get("user", "eve")).toBeUndefined();
    for (const [path, body] of [
      ["/budget/update", { budget_id: "shared", max_budget: 500 }],
      ["/budget/delete", { id: "shared" }],
      ["/user/update", { user_id: "root", max_budget: 500 }],
      ["/team/update", { team_id: "admins", max_budget: 500 }],
    ] as const)
      expect((await server.post(path, body, root)).status).toBe(403);
    expect((await server.post("/team/new", { team_id: "others", max_budget: 500 }, root)).status).toBe(200);
  });

  test("an admin of a team is in charge of its keys and its members, not of its own membership", async () => {
    const server = await startKeyServer("memory");
    await server.post("/team/new", { team_id: "writers", members_with_roles: [{ user_id: "ada", role: "admin" }] });
    const ada = await keyOf(server, "ada", "internal_user", { team_id: "writers" });
    const member = { user_id: "bob", role: "user" };
    expect((await server.post("/team/member_add", { team_id: "writers", member }, ada)).status).toBe(200);
    const bobs = await server.make({ team_id: "writers", user_id: "bob" }, ada);
    expect((await server.post("/key/block", { key: bobs.id }, ada)).status).toBe(200);
    expect((await server.post("/key/unblock", { key: bobs.id }, ada)).status).toBe(200);
    expect((await server.post("/team/member_delete", { team_id: "writers", user_id: "ada" }, ada)).status).toBe(403);
    expect((await server.post("/team/update", { team_id: "writers", max_budget: 1 }, ada)).status).toBe(403);
    await server.post("/team/new", { team_id: "readers" });
    expect((await server.post("/team/member_add", { team_id: "readers", member }, ada)).status).toBe(403);
    expect((await server.get("/team/info?team_id=readers", ada)).status).toBe(404);
    expect((await server.get("/team/list", ada)).body).toMatchObject([{ team_id: "writers" }]);
    expect((await server.get("/user/info?user_id=bob", ada)).status).toBe(403);
    expect((await server.get("/user/info", ada)).body).toMatchObject({ user_id: "ada" });
    // A member that is no admin is not in charge.
    const ofBob = await keyOf(server, "bob", "internal_user", { team_id: "writers" });
    expect((await server.post("/key/block", { key: idOf(ada) }, ofBob)).status).toBe(404);
    expect((await server.post("/team/member_delete", { team_id: "writers", user_id: "ada" }, ofBob)).status).toBe(403);
  });
});
