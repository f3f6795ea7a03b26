import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createSecret, idOf } from "../../core/keys/secret.ts";
import { decodeKeyGenerate } from "../../core/keys/key-request.ts";
import { openSqlite, type SqliteEngine } from "../../plugins/sqlite/index.ts";
import { type Answer, ask } from "../helpers/client.ts";
import { type Proxy, deployment, startProxy } from "../helpers/proxy.ts";
import { requestRaw } from "../helpers/raw-http.ts";
import { errorReply, textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream, type UpstreamRequest } from "../helpers/upstream.ts";
import { vendorPlugins } from "../helpers/vendor.ts";

const masterKey = "sk-the-master-key-0123456789";
const login = "sk-ant-oat01-callers-own-login";
const vendorKey = "sk-ant-api03-callers-own-key";

/** A hook that has another model answer to a wish, and asks one of its own for everybody else. */
const asking = `import { defineHook } from "ccproxy/sdk";
export default defineHook({
  async preCall(request, { callModel }) {
    if (request.model === "wish") {
      request.model = "dear";
      return;
    }
    const { text } = await callModel({ model: "dear", messages: [{ role: "user", content: "sum up" }], max_tokens: 7 });
    request.system = text;
  },
});
`;

/** Anthropic, and a host of somebody else that is sent whatever a caller brings. */
let vendor: Upstream;
let elsewhere: Upstream;
let proxy: Proxy;
let store: SqliteEngine;

beforeAll(async () => {
  [vendor, elsewhere] = await Promise.all([startUpstream(), startUpstream()]);
  const at = (name: string, params: object): unknown => ({ model_name: name, litellm_params: { model: `anthropic/${name}`, ...params } });
  proxy = await startProxy({
    config: {
      model_list: [
        at("own", { api_base: vendor.url }),
        at("trusted", { api_base: elsewhere.url, forward_client_auth: true }),
        deployment("cheap", elsewhere.url),
        deployment("dear", elsewhere.url),
      ],
      general_settings: { master_key: masterKey },
      router_settings: { num_retries: 0, model_group_alias: { "best-there-is": "dear" }, fallbacks: [{ cheap: ["dear"] }] },
    },
    plugins: vendorPlugins(vendor.url),
  });
  store = openSqlite({ path: path.join(proxy.directory, "ccproxy.db"), wallClock: () => Date.now() });
});

afterAll(async () => {
  await store.close();
  await proxy[Symbol.asyncDispose]();
  await Promise.all([vendor.close(), elsewhere.close()]);
});

async function createKey(body: object = {}): Promise<string> {
  const secret = createSecret();
  await store.keys.create("key", decodeKeyGenerate({ key: secret, ...body }, Date.now(), undefined).key);
  return secret;
}

/** To another proxy. */
async function addKey({ directory }: Proxy, secret: string, body: object): Promise<void> {
  const engine = openSqlite({ path: path.join(directory, "ccproxy.db"), wallClock: () => Date.now() });
  await engine.keys.create("key", decodeKeyGenerate({ key: secret, ...body }, Date.now(), undefined).key);
  await engine.close();
}

type Headers = Readonly<Record<string, string>>;

function post(headers: Headers, model = "cheap", more: object = {}, prefix = ""): Promise<Answer> {
  const body = JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }], ...more });
  return ask(proxy.url, body, { path: `${prefix}/v1/messages`, headers });
}

/** All that arrived anywhere. */
function sent(): string {
  return JSON.stringify([...vendor.requests, ...elsewhere.requests].map(({ url, rawHeaders, body }) => [url, rawHeaders, body.toString()]));
}

const modelOf = (request: UpstreamRequest | undefined): unknown => (request?.json() as { model: string } | undefined)?.model;
const kindOf = (answer: Answer): unknown => (answer.status === 200 ? 200 : [answer.status, (answer.json() as ErrorBody).error.type]);

interface ErrorBody {
  readonly error: { readonly type: string; readonly message: string };
}

describe("the key itself", () => {
  let key: string;
  beforeEach(async () => void (key = await createKey()));

  const places: readonly (readonly [string, (key: string) => Headers])[] = [
    ["authorization", (secret) => ({ authorization: `Bearer ${secret}` })],
    ["x-api-key", (secret) => ({ "x-api-key": secret })],
    ["x-goog-api-key", (secret) => ({ "x-goog-api-key": secret })],
    ["api-key", (secret) => ({ "api-key": secret })],
    ["x-litellm-api-key", (secret) => ({ "x-litellm-api-key": `Bearer ${secret}` })],
  ];

  test.each(places)("in %s opens the proxy and stays here, wherever the request goes", async (_name, headers) => {
    for (const model of ["cheap", "own", "trusted"]) await post(headers(key), model);
    expect((await post(headers(key))).status).toBe(200);
    expect(sent()).not.toContain(key);
  });

  test("stays here when the master key or the local token opens the proxy beside it", async () => {
    const localToken = (await readFile(path.join(proxy.directory, "local-token"), "utf8")).trim();
    for (const model of ["own", "trusted"]) {
      await post({ "x-api-key": masterKey, authorization: `Bearer ${key}` }, model);
      await post({ authorization: `Bearer ${key}` }, model, {}, `/_run/${localToken}/-`);
      await post({ "x-litellm-api-key": key, authorization: `Bearer ${await createKey()}`, "x-api-key": `${key},${key}` }, model);
    }
    for (const request of [...vendor.requests, ...elsewhere.requests])
      expect(JSON.stringify(request.rawHeaders)).not.toMatch(/sk-(?!ant-)/);
  });

  test("is not repeated by a refusal", async () => {
    const wrong = `${key}wrong`;
    for (const headers of [{ "x-api-key": wrong }, { authorization: `Bearer ${wrong}` }]) {
      const answer = await post(headers);
      expect(answer.status).toBe(401);
      expect(answer.text).not.toContain(wrong);
    }
    await store.keys.update("key", idOf(key), (record) => ({ ...record, isBlocked: true }));
    const blocked = await post({ "x-api-key": key });
    expect(kindOf(blocked)).toEqual([401, "authentication_error"]);
    expect(blocked.text).not.toContain(key);
  });

  test("is not in the log, and neither is what comes with it", async () => {
    await using logged = await startProxy({
      config: {
        model_list: [deployment("cheap", elsewhere.url)],
        general_settings: { master_key: masterKey },
      },
    });
    await addKey(logged, key, { models: ["cheap"] });
    const secrets = [key, `${key}wrong`, login, vendorKey];
    const body = (model: string): string => JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
    const headers = secrets.flatMap((secret) => [
      { authorization: `Bearer ${secret}`, "x-litellm-api-key": key },
      { authorization: `Bearer ${login}`, "x-api-key": secret },
    ]);
    const statuses = [];
    for (const each of headers)
      for (const model of ["cheap", "dear"]) statuses.push((await ask(logged.url, body(model), { headers: each })).status);
    expect(new Set(statuses)).toEqual(new Set([200, 401]));
    await logged.stop(0);
    const text = await logged.logText();
    expect(text).toContain("refused");
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  test("has LiteLLM's types of refusals for clients that read them", async () => {
    const chat = (secret: string): Promise<Answer> =>
      ask(proxy.url, "{}", { path: "/v1/chat/completions", headers: { authorization: `Bearer ${secret}` } });
    expect(kindOf(await chat(`${key}x`))).toEqual([401, "token_not_found_in_db"]);
    await store.keys.update("key", idOf(key), (record) => ({ ...record, expiresAt: 1 }));
    expect(kindOf(await chat(key))).toEqual([401, "expired_key"]);
  });
});

describe("a key that", () => {
  test("was deleted, blocked or given another secret opens nothing from the next request on", async () => {
    const [deleted, blocked, rotated, fresh] = [await createKey(), await createKey(), await createKey(), createSecret()];
    const statuses = (): Promise<readonly number[]> =>
      Promise.all([deleted, blocked, rotated, fresh].map(async (secret) => (await post({ "x-api-key": secret })).status));
    expect(await statuses()).toEqual([200, 200, 200, 401]);
    await store.keys.delete("key", [idOf(deleted)]);
    await store.keys.update("key", idOf(blocked), (record) => ({ ...record, isBlocked: true }));
    await store.keys.rotate(idOf(rotated), { id: idOf(fresh), name: "sk-...new", updatedAt: Date.now() });
    expect(await statuses()).toEqual([401, 401, 401, 200]);
  });

  test("may not be used from here is refused before a body is read", async () => {
    const key = await createKey({ allowed_ips: ["10.0.0.0/8"] });
    const request = [
      "POST /v1/messages HTTP/1.1",
      `host: 127.0.0.1:${proxy.port}`,
      "content-type: application/json",
      "x-forwarded-for: 10.0.0.1",
      `x-api-key: ${key}`,
      "content-length: 100000",
      "",
      "{",
    ].join("\r\n");
    expect((await requestRaw(proxy.port, request)).status).toBe(403);
  });

  test("is for some paths opens no others", async () => {
    const key = await createKey({ allowed_routes: ["/v1/chat/completions"] });
    expect(kindOf(await post({ "x-api-key": key }))).toEqual([403, "permission_error"]);
    const models = await ask(proxy.url, undefined, { method: "GET", path: "/v1/models", headers: { "x-api-key": key } });
    expect(models.status).toBe(403);
  });

  test.each(["/ccproxy/status", "/ccproxy/traces/last", "/ccproxy/spend", "/health"])(
    "opens everything else does not open %s",
    async (at) => {
      const key = await createKey({ allowed_routes: ["*"] });
      const get = (secret: string): Promise<Answer> =>
        ask(proxy.url, undefined, { method: "GET", path: at, headers: { "x-api-key": secret } });
      const refused = await get(key);
      expect(refused.status).toBe(401);
      expect(refused.text).not.toContain("virtual");
      expect((await get(masterKey)).status).not.toBe(401);
    },
  );
});

describe("beside a key, a login of the caller's own", () => {
  test("goes to its vendor, and nowhere else", async () => {
    const key = await createKey();
    const headers = { authorization: `Bearer ${login}`, "x-litellm-api-key": `Bearer ${key}` };
    await post(headers, "own");
    expect(vendor.requests.at(-1)?.headers).toMatchObject({ authorization: `Bearer ${login}` });
    expect((await post(headers, "cheap")).status).toBe(200);
    expect(elsewhere.requests.at(-1)?.headers).toMatchObject({ "x-api-key": "sk-ant-deployment-key" });
    expect(JSON.stringify(elsewhere.requests.at(-1)?.rawHeaders)).not.toContain(login);
    await post({ authorization: `Bearer ${key}`, "x-api-key": vendorKey }, "own");
    expect(vendor.requests.at(-1)?.headers["x-api-key"]).toBe(vendorKey);
    expect(vendor.requests.at(-1)?.headers["authorization"]).toBeUndefined();
    expect(sent()).not.toContain(key);
  });

  test("is no key", async () => {
    for (const headers of [{ authorization: `Bearer ${login}` }, { "x-api-key": vendorKey }])
      expect((await post(headers)).status).toBe(401);
  });
});

describe("the models of a key", () => {
  const listed = async (key: string): Promise<readonly string[]> => {
    const { text } = await ask(proxy.url, undefined, { method: "GET", path: "/v1/models", headers: { authorization: `Bearer ${key}` } });
    return (JSON.parse(text) as { data: readonly { id: string }[] }).data.map(({ id }) => id);
  };

  test("are those it may use, under whichever of their names", async () => {
    const key = await createKey({ models: ["dear"] });
    expect(kindOf(await post({ "x-api-key": key }, "dear"))).toBe(200);
    expect(kindOf(await post({ "x-api-key": key }, "best-there-is"))).toBe(200);
    expect(kindOf(await post({ "x-api-key": key }, "cheap"))).toEqual([401, "authentication_error"]);
    expect(await listed(key)).toEqual(["dear", "best-there-is"]);
    expect(await listed(masterKey)).toEqual(["own", "trusted", "cheap", "dear", "best-there-is"]);
    expect(await listed(await createKey())).toEqual(["own", "trusted", "cheap", "dear", "best-there-is"]);
  });

  test("have its own names, which lead where they lead for nobody else", async () => {
    const key = await createKey({ models: ["cheap"], aliases: { mine: "cheap", dear: "cheap", nothing: "nobody-has-it" } });
    for (const model of ["mine", "dear"]) {
      expect(kindOf(await post({ "x-api-key": key }, model))).toBe(200);
      expect(modelOf(elsewhere.requests.at(-1))).toBe("cheap");
    }
    expect(await listed(key)).toEqual(["cheap", "dear", "mine"]);
    // By another name of the configuration it is not its own `dear` that is asked for.
    expect(kindOf(await post({ "x-api-key": key }, "best-there-is"))).toEqual([401, "authentication_error"]);
    expect((await post({ "x-api-key": masterKey }, "mine")).status).toBe(404);
  });

  test("come with their configured fallbacks, and with none that a request names", async () => {
    const key = await createKey({ models: ["cheap"] });
    elsewhere.script((request) =>
      modelOf(request) === "cheap" ? errorReply(500, { message: "no" }) : errorReply(418, { message: "tea" }),
    );
    const fallbacks = [
      { fallbacks: ["dear"] },
      { fallbacks: [{ cheap: ["dear"] }] },
      { context_window_fallbacks: [{ cheap: ["best-there-is"] }] },
    ];
    const before = elsewhere.requests.length;
    for (const more of fallbacks) expect(kindOf(await post({ "x-api-key": key }, "cheap", more))).toEqual([401, "authentication_error"]);
    expect(elsewhere.requests.length).toBe(before);
    await post({ "x-api-key": key });
    expect(elsewhere.requests.slice(before).map(modelOf)).toEqual(["cheap", "dear"]);
    elsewhere.script(textReply("hello"));
  });

  test("are all that a refusal tells of", async () => {
    const key = await createKey({ models: ["cheap", "none-of-ours"] });
    const unknown = await post({ "x-api-key": key }, "none-of-ours");
    expect(unknown.status).toBe(404);
    expect(unknown.text).toContain("cheap");
    for (const answer of [unknown, await post({ "x-api-key": key }, "nobody-has-it")]) expect(answer.text).not.toMatch(/dear|trusted/);
  });

  test("do not bind what user code makes of a request, or asks for by itself", async () => {
    await using hooked = await startProxy({
      config: {
        model_list: ["cheap", "dear"].map((name) => deployment(name, elsewhere.url)),
        general_settings: { master_key: masterKey },
      },
      ccproxy: { hooks: [{ hook: "./my/ask.ts", grants: ["callModel:dear"] }] },
      files: { "my/ask.ts": asking },
    });
    const secret = createSecret();
    await addKey(hooked, secret, { models: ["cheap", "wish"], aliases: { dear: "cheap" } });
    const before = elsewhere.requests.length;
    const asked = async (model: string): Promise<unknown> => {
      const body = JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
      return kindOf(await ask(hooked.url, body, { headers: { "x-api-key": secret } }));
    };
    expect(await asked("cheap")).toBe(200);
    expect(elsewhere.requests.slice(before).map(modelOf)).toEqual(["dear", "cheap"]);
    expect(await asked("wish")).toBe(200);
    expect(modelOf(elsewhere.requests.at(-1))).toBe("dear");
  });
});
