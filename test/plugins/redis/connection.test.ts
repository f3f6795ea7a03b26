import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";

import { describe, expect, test, vi } from "vitest";

import { RedisError, explainer } from "../../../plugins/redis/errors.ts";
import { type RedisEngine, openRedis } from "../../../plugins/redis/index.ts";
import { useEngines } from "./engines.ts";

const password = "s3cret/of@tests";
const engines = useEngines({ password });

async function failureOf(action: () => unknown): Promise<RedisError> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(RedisError);
    return error as RedisError;
  }
  throw new Error("it has not failed");
}

function expectNoSecret(error: Error): void {
  const told = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join("\n");
  for (const secret of [password, encodeURIComponent(password)]) expect(told).not.toContain(secret);
}

/** One method of each store. */
function callsOf(engine: RedisEngine): readonly (() => unknown)[] {
  const { limits, cache, routing } = engine;
  return [
    () => limits.reserve("r", [{ kind: "slot", key: "s", limit: 1 }], 1000),
    () => limits.settle("r", []),
    () => cache.get("k"),
    () => cache.stats(),
    () => routing.read(["a"]),
    () => routing.warm("a"),
    async () => engine.ping(),
  ];
}

describe("a connection to Redis", () => {
  test("opens by url, and by its parts", async () => {
    await (await engines.open()).ping();
    const { port } = engines.server;
    const engine = await engines.open({ url: undefined, host: "127.0.0.1", port, password, username: "default", db: 3 });
    await engine.cache.put("k", { storedAt: 1, head: "", body: Buffer.from("x") }, 60_000);
    await expect(
      engines.server.inspect(async (redis) => {
        await redis.select(3);
        return redis.dbsize();
      }),
    ).resolves.toBe(1);
    expect(await (await engines.open({ url: `${engines.server.url}/3` })).cache.get("k")).toBeDefined();
    expect(await (await engines.open()).cache.get("k")).toBeUndefined();
  });

  test("is not opened where nobody listens, or with a wrong password, and does not tell it", async () => {
    const away = await failureOf(() => openRedis({ port: 1, password }));
    expect(away.message).toBe("Redis (127.0.0.1:1) cannot be reached: connect ECONNREFUSED 127.0.0.1:1");
    const { port } = engines.server;
    const wrong = await failureOf(() => openRedis({ url: `redis://:wrong${encodeURIComponent(password)}@127.0.0.1:${port}` }));
    expect(wrong.message).toMatch(/^Redis \(127\.0\.0\.1:\d+\): WRONGPASS/);
    expect(wrong.code).toBe("WRONGPASS");
    for (const error of [away, wrong]) expectNoSecret(error);
  });

  test.each([
    "redis://:s3cret/of@tests@host",
    "redis://:s3cret?of@tests",
    "http://:s3cret@host",
    "s3cret",
    "redis://:s3cret@host/name",
    "redis://:x@host#s3cret",
  ])("does not repeat a url that is none: %s", async (url) => {
    const error = await failureOf(() => openRedis({ url, connectTimeoutMs: 1 }));
    expect(error.message).not.toContain("s3cret");
  });

  test("tells no password, whoever says it, in none of its spellings", () => {
    const explain = explainer("host:1", [encodeURIComponent(password), password], () => new Error(`no ${password}`));
    const reply = new Error(`ERR AUTH ${encodeURIComponent(password)}`);
    reply.name = "ReplyError";
    const said = [new Error(`at ${password}`), reply, new Error("Connection is closed."), new AggregateError([new Error(password)], "")];
    expect(said.map((error) => explain(error).message)).toEqual([
      "Redis (host:1) cannot be reached: at ***",
      "Redis (host:1): ERR AUTH ***",
      "Redis (host:1) cannot be reached: no ***",
      "Redis (host:1) cannot be reached: ***",
    ]);
  });

  test("refuses a namespace that would not keep to one slot", async () => {
    for (const namespace of ["", "a{b", "}"]) await failureOf(() => openRedis({ url: engines.server.url, namespace }));
  });

  test("that may be away opens nevertheless, and finds the server when it is there", async () => {
    await engines.server.stop();
    const engine = await engines.open({ mayBeAway: true });
    for (const call of callsOf(engine)) expectNoSecret(await failureOf(call));
    await engines.server.restart();
    await vi.waitFor(async () => engine.ping(), { timeout: 10_000 });
  });

  test("of a server that was killed rejects at once, and comes back with the server", async () => {
    const engine = await engines.open();
    for (const call of callsOf(engine)) await call();
    await engines.server.stop();
    for (const call of callsOf(engine)) {
      const error = await failureOf(call);
      expect(error.message).toMatch(/^Redis \(127\.0\.0\.1:\d+\) cannot be reached: /);
      expectNoSecret(error);
      // Nothing waits for the connection: it has failed before anything else can happen.
      const next = new Promise((resolve) => void setImmediate(resolve, "waits"));
      expect(await Promise.race([failureOf(call), next])).not.toBe("waits");
    }
    await engines.server.restart();
    await vi.waitFor(async () => engine.ping(), { timeout: 10_000 });
    // It knows no scripts any more.
    for (const call of callsOf(engine)) await call();
  });

  test("of a server that forgot its scripts sends them again", async () => {
    const engine = await engines.open();
    for (const call of callsOf(engine)) await call();
    await engines.server.flush();
    for (const call of callsOf(engine)) await call();
  });

  test("of a server that answers nobody gives up by itself", async () => {
    const engine = await engines.open({ commandTimeoutMs: 50 });
    await engine.ping();
    const goOn = engines.server.pause();
    for (const call of callsOf(engine)) expect((await failureOf(call)).message).toMatch(/timed out/);
    goOn();
    await vi.waitFor(async () => engine.ping(), { timeout: 10_000 });
  });

  test("does not do again what was under way when it broke", async () => {
    const engine = await engines.open({ commandTimeoutMs: 10_000 });
    await engine.ping();
    const goOn = engines.server.pause();
    const under = Promise.allSettled([engine.routing.begin("twice"), engine.limits.reserve("r", [], 1000)]);
    goOn();
    await engines.server.restart();
    for (const { status } of await under) expect(["rejected", "fulfilled"]).toContain(status);
    await vi.waitFor(async () => engine.ping(), { timeout: 10_000 });
    expect((await engine.routing.read(["twice"]))[0]?.inFlight).toBe(0);
  });

  test("to one that accepts and says nothing is not opened", async () => {
    const mute = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const error = await failureOf(() => openRedis({ port, password, commandTimeoutMs: 50 }));
    expect(error.message).toMatch(/cannot be reached/);
    mute.close();
  });

  test("that is closed refuses, twice closed or not", async () => {
    const engine = await engines.open();
    await engine.close();
    await engine.close();
    for (const call of callsOf(engine)) await failureOf(call);
  });
});
