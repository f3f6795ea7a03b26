import { connect } from "node:net";

import { describe, expect, test } from "vitest";

import { idOf } from "../../../core/keys/secret.ts";
import { master, noon, startKeyServer } from "./keys-server.ts";
import { spend } from "./spend-server.ts";

const dayMs = 86_400_000;
const wellKnown = "sk-chosen-by-hand-0123456789abcdef";

describe.each(["memory", "sqlite"] as const)("keys in %s", (engine) => {
  test("from its making to its end", async () => {
    const { post, get, keys } = await startKeyServer(engine);
    const asked = {
      key_alias: "ci",
      models: ["opus"],
      max_budget: 1.5,
      budget_duration: "1d",
      rpm_limit: 20,
      duration: "30d",
      metadata: { a: 1 },
    };
    const made = await post("/key/generate", asked);
    expect(made.status).toBe(200);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const { duration: _, ...echoed } = asked;
    expect(made.body).toMatchObject({
      ...echoed,
      spend: 0,
      blocked: false,
      created_by: "master",
      expires: new Date(noon + 30 * dayMs).toISOString(),
      budget_reset_at: "2026-11-24T00:00:00.000Z",
    });
    expect(made.body).not.toHaveProperty("notes");
    const secret = String(made.body["key"]);
    const id = idOf(secret);
    expect(secret).toMatch(/^sk-[\w-]{43}$/);
    expect(made.body).toMatchObject({ token: id, token_id: id, key_name: `sk-...${secret.slice(-4)}` });

    const info = await get(`/key/info?key=${secret}`);
    expect(info.body).toMatchObject({ key: id, info: { key_alias: "ci", max_budget: 1.5 } });
    expect((await get(`/key/info?key=${id}`)).body).toEqual(info.body);
    expect(info.text).not.toContain(secret);

    const updated = await post("/key/update", { key: secret, max_budget: 2, models: null });
    expect(updated.body).toMatchObject({ key: id, max_budget: 2, models: [], rpm_limit: 20 });
    expect(updated.text).not.toContain(secret);

    expect((await post("/key/block", { key: secret })).body).toMatchObject({ token: id, blocked: true });
    expect(await keys.get("key", id)).toMatchObject({ isBlocked: true });
    expect((await post("/key/unblock", { key: id })).body).toMatchObject({ blocked: false });
    expect(await keys.get("key", id)).toMatchObject({ isBlocked: false });

    const renewed = await post("/key/regenerate", { key: secret });
    expect(renewed.body).toMatchObject({ key_alias: "ci", max_budget: 2 });
    const next = String(renewed.body["key"]);
    expect(next).not.toBe(secret);
    expect((await get(`/key/info?key=${secret}`)).status).toBe(404);
    const again = await post(`/key/${next}/regenerate`, { max_budget: 3 });
    expect(again.body).toMatchObject({ max_budget: 3, key_alias: "ci" });
    const last = idOf(String(again.body["key"]));

    expect((await post("/key/delete", { keys: [again.body["key"]] })).body).toEqual({ deleted_keys: [last] });
    expect((await get(`/key/info?key=${last}`)).status).toBe(404);
  });

  test("lists by page and owner, whole or by id", async () => {
    const { post, get, make } = await startKeyServer(engine);
    for (let index = 0; index < 12; index++) await make({ key_alias: `k${index}`, user_id: index % 2 === 0 ? "ada" : "bob" });
    const first = await get("/key/list");
    expect(first.body).toMatchObject({ total_count: 12, current_page: 1, total_pages: 2 });
    expect(first.body["keys"]).toHaveLength(10);
    expect((await get("/key/list?page=2")).body["keys"]).toHaveLength(2);
    const whole = await get("/key/list?user_id=ada&return_full_object=true&size=100");
    expect(whole.body).toMatchObject({ total_count: 6 });
    for (const key of whole.body["keys"] as object[]) expect(key).toMatchObject({ user_id: "ada", spend: 0 });
    expect((await get("/key/list?key_alias=k3&return_full_object=true")).body).toMatchObject({ keys: [{ key_alias: "k3" }] });
    expect(await get("/key/list?size=101")).toMatchObject({ status: 400, body: { error: { param: "size" } } });
    expect((await post("/key/delete", { key_aliases: ["k3", "k4"] })).body["deleted_keys"]).toHaveLength(2);
    expect((await get("/key/list")).body).toMatchObject({ total_count: 10 });
  });

  test("says what each has spent in the period of its budget", async () => {
    const { get, make, ledger, post } = await startKeyServer(engine);
    await post("/budget/new", { budget_id: "daily", max_budget: 7, budget_duration: "1d" });
    const daily = await make({ key_alias: "daily", max_budget: 1, budget_duration: "1d" });
    const shared = await make({ key_alias: "shared", budget_id: "daily" });
    const ever = await make({ key_alias: "ever" });
    for (const { id } of [daily, shared, ever]) {
      await spend(ledger, { id: `${id}-old`, start: { startedAt: noon - 2 * dayMs, caller: { kind: "key", keyId: id } } });
      await spend(ledger, { id: `${id}-new`, start: { caller: { kind: "key", keyId: id } } });
    }
    expect((await get(`/key/info?key=${daily.id}`)).body).toMatchObject({ info: { spend: 0.25 } });
    expect((await get(`/key/info?key=${ever.id}`)).body).toMatchObject({ info: { spend: 0.5, budget_reset_at: null } });
    const { body } = await get("/key/list?return_full_object=true");
    expect(body["keys"]).toHaveLength(3);
    expect(body["keys"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key_alias: "daily", spend: 0.25 }),
        expect.objectContaining({ key_alias: "ever", spend: 0.5 }),
        expect.objectContaining({
          key_alias: "shared",
          spend: 0.25,
          budget_reset_at: "2026-11-24T00:00:00.000Z",
          litellm_budget_table: expect.objectContaining({ max_budget: 7 }),
        }),
      ]),
    );
  });

  test("aliases and keys are unique", async () => {
    const { post, make } = await startKeyServer(engine);
    await make({ key_alias: "one", key: wellKnown });
    const alias = await post("/key/generate", { key_alias: "one" });
    expect(alias).toMatchObject({ status: 400, body: { error: { type: "bad_request_error", param: "key_alias", code: "400" } } });
    const same = await post("/key/generate", { key: wellKnown });
    expect(same).toMatchObject({ status: 400, body: { error: { message: "key: there is such a key already.", param: "key" } } });
    const other = await make({ key_alias: "two" });
    expect(await post("/key/update", { key: other.id, key_alias: "one" })).toMatchObject({ status: 400 });
    expect(same.text + alias.text).not.toContain(wellKnown);
  });

  test("deletes all of them or none", async () => {
    const { post, make, keys } = await startKeyServer(engine);
    const { id } = await make({ key_alias: "one" });
    expect(await post("/key/delete", { keys: [id, wellKnown] })).toMatchObject({
      status: 404,
      body: { error: { message: "keys[1]: there is no such key.", type: "not_found_error", code: "404" } },
    });
    expect(await post("/key/delete", { key_aliases: ["one", "none"] })).toMatchObject({ status: 404 });
    expect(await post("/key/delete", {})).toMatchObject({ status: 400, body: { error: { param: "keys" } } });
    expect(await keys.get("key", id)).toBeDefined();
  });
});

describe("what is asked for", () => {
  test.each([
    ["/key/generate", { max_budget: "much" }, "max_budget"],
    ["/key/generate", { team_id: "nobody" }, "team_id"],
    ["/key/generate", { budget_id: "none" }, "budget_id"],
    ["/key/generate", { duration: "soon" }, "duration"],
    ["/key/generate", { metadata: [] }, "metadata"],
    ["/key/update", { max_budget: 1 }, "key"],
    ["/key/update", { key: "sk-x", spend: 5 }, "spend"],
    ["/key/block", {}, "key"],
    ["/user/update", {}, "user_id"],
    ["/user/delete", { user_ids: "ada" }, "user_ids"],
    ["/team/new", { members_with_roles: [{ user_id: "a", role: "king" }] }, "members_with_roles"],
    ["/team/delete", {}, "team_ids"],
    ["/team/member_add", { team_id: "t" }, "member"],
    ["/budget/new", { budget_duration: "0d" }, "budget_duration"],
    ["/budget/info", {}, "budgets"],
  ])("%s %j is refused by the name of the field", async (path, body, param) => {
    const { post } = await startKeyServer("memory");
    const { status, body: answer } = await post(path, body);
    expect(status).toBe(400);
    expect(answer).toMatchObject({ error: { type: "bad_request_error", param, code: "400" } });
  });

  test("fields without effect, and models that are not there, are told", async () => {
    const { post } = await startKeyServer("memory");
    const { body } = await post("/key/generate", { max_buget: 1, models: ["opsu", "anthropic/*", "haiku", "all-team-models"] });
    expect(body["notes"]).toEqual([
      '"max_buget" is no field that is known here; it has no effect. Did you mean "max_budget"?',
      'models: no model is called "opsu" here. Did you mean "opus"?',
    ]);
  });

  const json = "application/json";

  test.each([
    ["a form", 415, "application/x-www-form-urlencoded", "a=1"],
    ["no type", 415, "", undefined],
    ["no JSON", 400, json, `{"key":"${wellKnown}`],
    ["nothing", 400, json, undefined],
    ["a list", 400, "application/json; charset=utf-8", "[]"],
    ["a depth", 400, json, `{"metadata":{"a":${"[".repeat(400_000)}${"]".repeat(400_000)}}}`],
    ["no UTF-8", 400, json, Buffer.from('{"key_alias":"\xff"}', "latin1")],
    ["2 MB", 413, json, JSON.stringify({ key_alias: "x".repeat(2 << 20) })],
  ])("%s: %i", async (_name, status, type, body) => {
    const { url, keys } = await startKeyServer("memory");
    const headers = { authorization: `Bearer ${master}`, ...(type === "" ? {} : { "content-type": type }) };
    const response = await fetch(`${url}/key/generate`, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(JSON.parse(text)).toEqual({
      error: { message: expect.any(String), type: expect.any(String), param: null, code: String(status) },
    });
    expect(text).not.toContain(wellKnown);
    expect((await keys.list("key", { limit: 1, offset: 0 })).total).toBe(0);
  });

  test("whoever leaves in the middle of a body changes nothing and breaks nothing", async () => {
    const { url, get, keys } = await startKeyServer("memory");
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const head = `POST /key/generate HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${master}\r\ncontent-type: application/json\r\n`;
    await new Promise<void>((resolve) => socket.write(`${head}content-length: 100\r\n\r\n{}`, () => resolve()));
    socket.destroy();
    expect((await get("/key/list")).status).toBe(200);
    expect((await keys.list("key", { limit: 1, offset: 0 })).total).toBe(0);
  });
});

describe("secrets", () => {
  test.each([wellKnown, "sk-abc", "sk-a b%2f", "my own key"])("a key that is asked about comes back nowhere: %s", async (secret) => {
    const { get, post, log } = await startKeyServer("memory");
    const inUrl = encodeURIComponent(secret);
    const answers = [
      await get(`/key/info?key=${inUrl}`),
      await get(`/key/info?key=${inUrl}`, secret),
      await get(`/key/info?key=${inUrl}&key=${inUrl}`),
      await get(`/key/list?page=${inUrl}&key=${inUrl}`),
      await post(`/key/${inUrl}/regenerate`, {}),
      await post("/key/update", { key: secret }),
      await post("/key/update", { key: [secret] }),
      await post("/key/block", { key: secret }),
      await post("/key/delete", { keys: [secret] }),
      await post("/key/delete", { keys: { [secret]: 1 } }),
      await post("/key/generate", { key: `${secret} ` }),
    ];
    for (const { status } of answers) expect(status).toBeGreaterThanOrEqual(400);
    const told = [...answers.map(({ text }) => text), ...log].join("\n");
    expect(told).not.toContain(secret);
    expect(told).not.toContain(inUrl);
  });

  test("of a key that may not ask for it neither does its path", async () => {
    const { make, post } = await startKeyServer("memory");
    const { secret } = await make({ key: "sk-abc" });
    const { status, text } = await post(`/key/${secret}/regenerate`, {}, secret);
    expect(status).toBe(403);
    expect(text).not.toContain(secret);
  });

  test("new ones are in no log, and in the one reply only", async () => {
    const { make, post, get, log } = await startKeyServer("memory");
    const { secret, id } = await make({ key_alias: "one" });
    const { body } = await post("/key/regenerate", { key: id });
    const user = await post("/user/new", { user_id: "ada" });
    const secrets = [secret, String(body["key"]), String(user.body["key"])];
    const shown = [await get("/key/list?return_full_object=true"), await get("/user/info?user_id=ada")].map(({ text }) => text);
    for (const each of secrets) expect([...shown, ...log].join("\n")).not.toContain(each);
    expect(log.map((line) => JSON.parse(line))).toEqual([
      { path: "/key/generate", by: "master", about: [id] },
      { path: "/key/regenerate", by: "master", about: [id, idOf(String(body["key"]))] },
      { path: "/user/new", by: "master", about: ["ada", idOf(String(user.body["key"]))] },
    ]);
  });

  test("secrets of the proxy that stand in names are struck out", async () => {
    const { post, get } = await startKeyServer("memory");
    await post("/key/generate", { key_alias: `a ${master}` });
    expect((await get("/key/list?return_full_object=true")).text).not.toContain(master);
  });

  test("what goes wrong inside is not told, but logged", async () => {
    const broken = async (): Promise<never> => {
      throw new Error("password=hunter22");
    };
    const { get, log } = await startKeyServer("memory", { adminOf: broken });
    const { status, body, text } = await get("/key/list");
    expect(status).toBe(500);
    expect(body).toEqual({ error: { message: "Internal server error.", type: "api_error", param: null, code: "500" } });
    expect(text).not.toContain("hunter22");
    expect(log[0]).toContain("/key/list");
  });
});
