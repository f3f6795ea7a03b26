import { afterAll, beforeAll, expect, test } from "vitest";

import { createSecret, idOf, nameOf } from "../../core/keys/secret.ts";
import { toNanoDollars } from "../../sdk/money.ts";
import type { VirtualKey } from "../../sdk/keys.ts";
import { ask } from "../helpers/client.ts";
import { untilIdle } from "../helpers/exchanges.ts";
import { openFile } from "../helpers/ledger.ts";
import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { streamReply, textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

const masterKey = "sk-the-master-key";
const usage = { input_tokens: 100_000, output_tokens: 100_000 };
/** USD per token: a request costs 20 cents. */
const price = 1e-6;

let upstream: Upstream;
let proxy: Proxy;
let store: ReturnType<typeof openFile>;

beforeAll(async () => {
  upstream = await startUpstream(textReply("hello", usage));
  const entry = (name: string, each = price): unknown => ({
    ...(deployment(name, upstream.url) as object),
    model_info: { input_cost_per_token: each, output_cost_per_token: each },
  });
  proxy = await startProxy({
    config: {
      model_list: [entry("m"), entry("other"), entry("dear", 1e-4)],
      general_settings: { master_key: masterKey },
      router_settings: { num_retries: 0 },
    },
  });
  store = openFile(proxy.directory);
});

afterAll(async () => {
  await store.close();
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

async function createKey(more: Partial<VirtualKey> = {}): Promise<string> {
  const secret = createSecret();
  const now = Date.now();
  await store.keys.create("key", {
    id: idOf(secret),
    name: nameOf(secret),
    models: [],
    metadata: {},
    tags: [],
    isBlocked: false,
    createdAt: now,
    updatedAt: now,
    aliases: {},
    allowedRoutes: [],
    allowedAddresses: [],
    ...more,
  });
  return secret;
}

const body = (model = "m", stream = false): string =>
  JSON.stringify({ model, max_tokens: 5, stream, messages: [{ role: "user", content: "hi" }] });
const chatBody = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] });

test("a key opens the proxy, is not sent on, and pays for what it asks", async () => {
  const key = await createKey({ alias: "payer" });
  const answer = await ask(proxy.url, body(), { headers: { "x-api-key": key } });
  expect(answer.status).toBe(200);
  expect(answer.headers["x-litellm-response-cost"]).toBe("0.2");
  const [request] = upstream.requests.slice(-1);
  expect(JSON.stringify(request?.headers)).not.toContain(key);
  const [exchange] = await store.upToDate.exchanges({ keyId: idOf(key) }, 10);
  expect(exchange).toMatchObject({
    caller: { kind: "key", keyAlias: "payer" },
    modelAsked: "m",
    end: { cost: toNanoDollars(0.2), outcome: "completed", status: 200, tokens: { input: 100_000, output: 100_000 } },
  });
});

test("a key that is deleted, blocked or over opens nothing from then on", async () => {
  const key = await createKey();
  const status = async (): Promise<number> => (await ask(proxy.url, body(), { headers: { authorization: `Bearer ${key}` } })).status;
  expect(await status()).toBe(200);
  await store.keys.update("key", idOf(key), (record) => ({ ...record, isBlocked: true }));
  expect(await status()).toBe(401);
  await store.keys.update("key", idOf(key), (record) => ({ ...record, isBlocked: false, expiresAt: Date.now() - 1 }));
  expect(await status()).toBe(401);
  await store.keys.update("key", idOf(key), (record) => ({ ...record, expiresAt: undefined }));
  expect(await status()).toBe(200);
  await store.keys.delete("key", [idOf(key)]);
  expect(await status()).toBe(401);
});

test("a key asks for the models it may have, under its own names for them, too", async () => {
  const key = await createKey({ models: ["m"], aliases: { mine: "m" } });
  const asked = async (model: string): Promise<unknown> => {
    const { status, text } = await ask(proxy.url, JSON.stringify({ ...JSON.parse(chatBody), model }), {
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${key}` },
    });
    return status === 200 ? status : JSON.parse(text).error.type;
  };
  expect(await asked("m")).toBe(200);
  expect(await asked("mine")).toBe(200);
  expect(await asked("other")).toBe("key_model_access_denied");
});

test("who has no key is told where to put one", async () => {
  const { status, text } = await ask(proxy.url, body(), { headers: { "x-api-key": "sk-nobody-knows-this-one" } });
  expect(status).toBe(401);
  for (const name of ["x-litellm-api-key", "x-api-key", "x-goog-api-key", "api-key"]) expect(text).toContain(name);
  expect(text).not.toContain("[redacted]");
});

test("requests a minute are counted, and the next one waits for the window", async () => {
  const key = await createKey({ rpm: 2 });
  const statuses = [];
  for (let count = 0; count < 3; count++) statuses.push((await ask(proxy.url, body(), { headers: { "x-api-key": key } })).status);
  expect(statuses).toEqual([200, 200, 429]);
});

test("a budget warns in the client's own words, refuses, and works again after a raise", async () => {
  const key = await createKey({ maxBudget: toNanoDollars(0.5), budgetDuration: "30d" });
  const once = async (): Promise<Awaited<ReturnType<typeof ask>>> => ask(proxy.url, body("m", true), { headers: { "x-api-key": key } });
  upstream.script(streamReply({ usage }));
  const prefix = "anthropic-ratelimit-unified-";
  expect((await once()).headers[`${prefix}status`]).toBe("allowed");
  await untilIdle(proxy);
  const second = await once();
  expect([second.status, second.headers[`${prefix}overage-utilization`]]).toEqual([200, expect.stringMatching(/^0\.4/)]);
  const third = await once();
  expect([third.status, third.headers[`${prefix}status`]]).toEqual([200, "allowed_warning"]);
  await untilIdle(proxy);
  const refused = await once();
  expect(refused.status).toBe(429);
  expect(refused.json()).toMatchObject({ type: "error", error: { type: "billing_error", message: expect.stringContaining("$0.6") } });
  const chat = await ask(proxy.url, chatBody, { path: "/v1/chat/completions", headers: { authorization: `Bearer ${key}` } });
  expect(chat.status).toBe(400);
  expect(chat.json()).toMatchObject({ error: { type: "budget_exceeded" } });
  await store.keys.update("key", idOf(key), (record) => ({ ...record, maxBudget: toNanoDollars(5) }));
  expect((await once()).status).toBe(200);
  upstream.script(textReply("hello", usage));
});

test("200 at once against the last dollar never spend more than it, where what is held back is enough", async () => {
  const key = await createKey({ maxBudget: toNanoDollars(1) });
  upstream.script(textReply("hello", { input_tokens: 100, output_tokens: 1000 }));
  const answers = await Promise.all(
    Array.from({ length: 200 }, async () => ask(proxy.url, body("dear"), { headers: { "x-api-key": key } })),
  );
  await untilIdle(proxy);
  upstream.script(textReply("hello", usage));
  const [total] = await store.upToDate.totals(["key"], { keyId: idOf(key) });
  const successes = answers.filter(({ status }) => status === 200).length;
  expect(answers.filter(({ status }) => status === 429).length).toBe(200 - successes);
  expect(successes).toBeGreaterThan(0);
  expect(total?.cost).toBe(successes * toNanoDollars(0.11));
  expect(total?.cost).toBeLessThanOrEqual(toNanoDollars(1));
});
