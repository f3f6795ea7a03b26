import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";

import { describe, expect, test, vi } from "vitest";

import type { createChain } from "../../../core/chain.ts";
import { openSqlite } from "../../../plugins/sqlite/index.ts";
import type { CacheStore } from "../../../sdk/cache.ts";
import { CachedProxy } from "../cache/cached-proxy.ts";
import type { OwnServices } from "../cache/spliced-chain.ts";

const own = vi.hoisted(() => ({ services: {} as OwnServices }));

vi.mock("../../../core/chain.ts", async (original) => {
  const chainOf = (await original<{ readonly createChain: typeof createChain }>()).createChain;
  const { withCache } = await import("../cache/spliced-chain.ts");
  const create: typeof createChain = (services, route) => withCache(chainOf(services, route), { ...services, ...own.services });
  return { createChain: create };
});

const here = new CachedProxy(own);

describe("a cache that", () => {
  const broken = (get: () => Promise<undefined>): CacheStore => ({
    get,
    put: () => Promise.reject(new Error("away")),
    delete: () => 0,
    clear: () => undefined,
    stats: () => ({ entries: 0, bytes: 0 }),
    close: () => Promise.resolve(),
  });

  test("fails is as though it were not there, and told of once", async () => {
    await here.start({ store: () => broken(() => Promise.reject(new Error("away"))) });
    expect((await here.send()).text).toContain("answer 0");
    expect((await here.send({ stream: true })).text).toContain("answer 1");
    await here.proxy.stop(0);
    const told = (await here.proxy.logLines()).filter(({ msg }) => String(msg).includes("the cache cannot be used"));
    expect(told.length).toBe(1);
  });

  test("does not answer is waited for once, and not for long", async () => {
    const get = vi.fn(() => new Promise<undefined>(() => undefined));
    await here.start({ store: () => broken(get) });
    expect((await here.send()).text).toContain("answer 0");
    expect((await here.send()).text).toContain("answer 1");
    expect(get).toHaveBeenCalledOnce();
  });

  test("holds something else is passed by, and put right", async () => {
    await here.start();
    await here.send();
    const keys: string[] = [];
    const { store } = here.cache;
    const spied = vi.spyOn(store, "get").mockImplementationOnce((key) => {
      keys.push(key);
      return { storedAt: 1, head: "{}", body: Buffer.from("x") };
    });
    expect((await here.send()).text).toContain("answer 1");
    spied.mockRestore();
    expect((await here.send()).text).toContain("answer 1");
    expect(keys.length).toBe(1);
  });

  test("is in a file gives the same", async () => {
    await here.start({ store: (wallClock) => openSqlite({ path: `${tmpdir()}/ccproxy-cache-${randomUUID()}.db`, wallClock }).cache });
    const first = await here.send({ stream: true });
    expect((await here.send({ stream: true })).text).toBe(first.text);
    expect((await here.send()).json()).toMatchObject({ content: [{ type: "text", text: "answer 0" }] });
    await here.cache.store.close();
  });
});
