/** Three instances that share PostgreSQL and Redis, as three machines would. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { toNanoDollars } from "../../sdk/money.ts";
import { openPostgres, type PostgresEngine } from "../../plugins/postgres/index.ts";
import { ask } from "../helpers/client.ts";
import { untilIdle } from "../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";

const masterKey = "sk-the-master-key";
const body = JSON.stringify({ model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
/** Of a request, USD. */
const cost = 0.11;

let upstream: Upstream;
let postgres: PostgresServer;
let redis: RedisServer;
let instances: readonly Proxy[];
let store: PostgresEngine;

beforeAll(async () => {
  upstream = await startUpstream(textReply("hello", { input_tokens: 100, output_tokens: 1000 }));
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const url = await postgres.createDatabase();
  const entry = { ...(deployment("m", upstream.url) as object), model_info: { input_cost_per_token: 1e-4, output_cost_per_token: 1e-4 } };
  const config = {
    model_list: [entry],
    general_settings: { master_key: masterKey, database_url: url },
    router_settings: { redis_url: redis.url, num_retries: 0 },
  };
  // At the same moment: all of them find an empty database.
  instances = await Promise.all(Array.from({ length: 3 }, async () => startProxy({ config })));
  store = await openPostgres({ url });
}, 120_000);

afterAll(async () => {
  await store.close();
  for (const instance of instances) await instance[Symbol.asyncDispose]();
  await upstream.close();
  await postgres[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

function at(index: number): Proxy {
  const instance = instances[index % instances.length];
  if (instance === undefined) throw new Error("there is no instance");
  return instance;
}

async function manage(path: string, sent: object, index = 0): Promise<Record<string, unknown>> {
  const answer = await ask(at(index).url, JSON.stringify(sent), { path, headers: { authorization: `Bearer ${masterKey}` } });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

const send = async (index: number, key: string): Promise<number> =>
  (await ask(at(index).url, body, { headers: { "x-api-key": key } })).status;

async function untilKept(): Promise<void> {
  for (const instance of instances) await untilIdle(instance);
  // Whoever reads is shown what was written before.
  for (const [index] of instances.entries())
    await ask(at(index).url, undefined, { method: "GET", path: "/global/spend", headers: { authorization: `Bearer ${masterKey}` } });
}

describe("instances", () => {
  test("know each other's keys, and what becomes of them", async () => {
    const { key } = await manage("/key/generate", { key_alias: "shared" }, 0);
    expect(await send(1, String(key))).toBe(200);
    await manage("/key/block", { key }, 2);
    // Half a second is how long what was found is believed.
    await expect.poll(async () => send(1, String(key)), { timeout: 5000 }).toBe(401);
  });

  test("spend a budget together, and never more than it", async () => {
    const { key, token } = await manage("/key/generate", { max_budget: 1 });
    const statuses = await Promise.all(Array.from({ length: 200 }, async (_, index) => send(index, String(key))));
    const successes = statuses.filter((status) => status === 200).length;
    expect(statuses.filter((status) => status === 429).length).toBe(200 - successes);
    expect(successes).toBeGreaterThan(0);
    await untilKept();
    const [total] = await store.ledger.totals(["key"], { keyId: String(token) });
    expect(total).toMatchObject({ cost: successes * toNanoDollars(cost) });
    expect(total?.cost).toBeLessThanOrEqual(toNanoDollars(1));
  });

  test("count requests of a minute together", async () => {
    const { key } = await manage("/key/generate", { rpm_limit: 6 });
    const statuses = await Promise.all(Array.from({ length: 30 }, async (_, index) => send(index, String(key))));
    expect(statuses.filter((status) => status === 200)).toHaveLength(6);
  });

  test("go on without PostgreSQL, and lose no row", async () => {
    const { key, token } = await manage("/key/generate", {});
    for (const [index] of instances.entries()) expect(await send(index, String(key))).toBe(200);
    await untilKept();
    await postgres.kill();
    const statuses = await Promise.all(Array.from({ length: 30 }, async (_, index) => send(index, String(key))));
    expect(new Set(statuses)).toEqual(new Set([200]));
    const readiness = await ask(at(0).url, undefined, { method: "GET", path: "/health/readiness" });
    expect(readiness.json()).toMatchObject({ status: "ready", db: "Not connected", away: ["postgres"] });
    await postgres.restart();
    const kept = async (): Promise<number> => {
      try {
        const [total] = await store.ledger.totals(["key"], { keyId: String(token) });
        return total?.requests ?? 0;
      } catch {
        return 0;
      }
    };
    await expect.poll(kept, { timeout: 15_000 }).toBe(33);
    const [total] = await store.ledger.totals(["key"], { keyId: String(token) });
    expect(total).toMatchObject({ cost: 33 * toNanoDollars(cost), unknownCosts: 0 });
  }, 60_000);

  test("go on without Redis, each counting for itself, and say so", async () => {
    const { key } = await manage("/key/generate", { rpm_limit: 4 });
    await redis.stop();
    const statuses = await Promise.all(Array.from({ length: 30 }, async (_, index) => send(index, String(key))));
    // Four for each of three.
    expect(statuses.filter((status) => status === 200)).toHaveLength(12);
    const readiness = await ask(at(0).url, undefined, { method: "GET", path: "/health/readiness" });
    expect(readiness.json()).toMatchObject({ status: "ready", away: ["redis"] });
    await redis.restart();
    const up = async (): Promise<unknown> => (await ask(at(0).url, undefined, { method: "GET", path: "/health/readiness" })).json();
    await expect.poll(up, { timeout: 15_000 }).not.toHaveProperty("away");
    expect(await send(0, String((await manage("/key/generate", {}))["key"]))).toBe(200);
  }, 60_000);
});
