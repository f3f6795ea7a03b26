import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { CacheFigures } from "../../../core/cache/figures.ts";
import type { createChain } from "../../../core/chain.ts";
import { Flights } from "../../../core/cache/flights.ts";
import type { Landed } from "../../../core/stages/cache.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import type { CacheStore } from "../../../sdk/cache.ts";
import { ask, openAnswer } from "../../helpers/client.ts";
import { type Proxy, deployment, startProxy } from "../../helpers/proxy.ts";
import { errorReply, streamReply, textReply } from "../../helpers/replies.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";

/** The stage as the chain has it, over stores of this test. */
const parts = vi.hoisted(() => ({ services: {} as { stores: { cache: CacheStore | undefined } } & Record<string, unknown> }));

vi.mock("../../../core/chain.ts", async (original) => {
  const chainOf = (await original<{ readonly createChain: typeof createChain }>()).createChain;
  const { cacheStage } = await import("../../../core/stages/cache.ts");
  const create: typeof createChain = (services, route) => {
    const chain = chainOf(services, route);
    const stage = cacheStage({ ...services, ...parts.services } as unknown as Parameters<typeof cacheStage>[0]);
    return [...chain.slice(0, -1), stage, ...chain.slice(-1)];
  };
  return { createChain: create };
});

const request = { model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };
const bodyWith = (more: Readonly<Record<string, unknown>> = {}): string => JSON.stringify({ ...request, ...more });

let upstream: Upstream;
let proxy: Proxy;
let figures: CacheFigures;
let wallClock: number;
let cache: CacheStore;

async function start(params: Readonly<Record<string, unknown>> = {}): Promise<void> {
  proxy = await startProxy({
    config: {
      model_list: [deployment("m", upstream.url), deployment("n", upstream.url)],
      litellm_settings: { cache: true, cache_params: { type: "local", ...params } },
    },
  });
}

beforeEach(async () => {
  wallClock = 1_000_000;
  figures = new CacheFigures();
  cache = openMemory({ now: () => 0, wallClock: () => wallClock }).cache;
  parts.services = {
    stores: { cache },
    flights: new Flights<Landed>(),
    cacheFigures: figures,
    wallClock: () => wallClock,
  };
  upstream = await startUpstream((_, index) => textReply(`answer ${index}`));
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

describe("a request that was asked before", () => {
  beforeEach(() => start());

  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("is answered without an upstream (streamed: first %s, then %s)", async (first, second) => {
    await ask(proxy.url, bodyWith({ stream: first }));
    const again = await ask(proxy.url, bodyWith({ stream: second }));
    expect(upstream.requestsTo().length).toBe(1);
    expect(again.status).toBe(200);
    expect(again.headers["content-type"]).toContain(second ? "text/event-stream" : "application/json");
    expect(again.text).toContain("answer 0");
    if (second) expect(again.text).toContain("event: message_stop");
    else expect(again.json()).toMatchObject({ type: "message", content: [{ type: "text", text: "answer 0" }] });
    expect(figures.describe()).toMatchObject({ hits: 1, misses: 1, stored: 1 });
  });

  test("is given the same bytes", async () => {
    const first = await ask(proxy.url, bodyWith({ stream: true }));
    const second = await ask(proxy.url, bodyWith({ stream: true }));
    expect(second.text).toBe(first.text);
  });
});

test("fifty that ask the same at the same time are one request upstream", async () => {
  await start();
  const gate = Promise.withResolvers<void>();
  upstream.script(async () => {
    await gate.promise;
    return textReply("one");
  });
  const all = Array.from({ length: 50 }, async (_, index) => ask(proxy.url, bodyWith({ stream: index % 2 === 0 })));
  await vi.waitFor(async () => expect(JSON.parse((await statusText()) ?? "{}").openExchanges).toBe(50));
  gate.resolve();
  const answers = await Promise.all(all);
  expect(answers.every(({ status, text, end }) => status === 200 && text.includes("one") && end === "clean")).toBe(true);
  expect(upstream.requestsTo().length).toBe(1);
  expect(figures.describe().misses).toBe(1);
});

async function statusText(): Promise<string> {
  const { text } = await ask(proxy.url, undefined, {
    method: "GET",
    path: "/ccproxy/status",
    headers: { "x-ccproxy-token": proxy.controlToken },
  });
  return text;
}

describe("what is not kept", () => {
  beforeEach(() => start());

  test.each([
    ["a stream that was cut", streamReply({ text: "cut", cutAfter: { events: 3 } })],
    ["a stream that ended without its end", streamReply({ text: "cut", cutAfter: { events: 3 }, cut: "finish" })],
    ["a stream with an error in it", streamReply({ text: "cut", cutAfter: { events: 3 }, error: { type: "api_error", message: "no" } })],
    ["an error", errorReply(400)],
  ])("%s", async (_, reply) => {
    upstream.script([reply, textReply("whole")]);
    await ask(proxy.url, bodyWith({ stream: true }));
    const second = await ask(proxy.url, bodyWith({ stream: true }));
    expect(second.text).toContain("whole");
    expect((await cache.stats()).entries).toBe(1);
  });

  test("the reply to a client that has left; the others get theirs", async () => {
    const begun = Promise.withResolvers<void>();
    upstream.script((_, index) => {
      if (index > 0) return textReply("second");
      begun.resolve();
      return streamReply({ text: "first", stallAfter: { events: 3 } });
    });
    const first = await openAnswer(proxy.url, bodyWith({ stream: true }));
    await begun.promise;
    const others = Array.from({ length: 3 }, async () => ask(proxy.url, bodyWith({ stream: true })));
    await vi.waitFor(async () => expect(JSON.parse(await statusText()).openExchanges).toBe(4));
    first.leave();
    const answers = await Promise.all(others);
    expect(answers.map(({ status, end }) => [status, end])).toEqual(Array.from({ length: 3 }, () => [200, "clean"]));
    expect(answers.every(({ text }) => text.includes("second"))).toBe(true);
    expect(upstream.requestsTo().length).toBe(2);
  });
});

describe("a request says", () => {
  beforeEach(() => start());

  test("that it wants no stored reply: its own is stored", async () => {
    await ask(proxy.url, bodyWith());
    expect((await ask(proxy.url, bodyWith({ cache: { "no-cache": true } }))).text).toContain("answer 1");
    expect((await ask(proxy.url, bodyWith())).text).toContain("answer 1");
  });

  test("that its reply is not to be stored", async () => {
    await ask(proxy.url, bodyWith({ cache: { "no-store": true } }));
    expect((await ask(proxy.url, bodyWith())).text).toContain("answer 1");
  });

  test("the same in a header, which does not go upstream", async () => {
    await ask(proxy.url, bodyWith(), { headers: { "cache-control": "no-store" } });
    expect((await ask(proxy.url, bodyWith(), { headers: { "cache-control": "no-cache" } })).text).toContain("answer 1");
    expect((await ask(proxy.url, bodyWith())).text).toContain("answer 1");
    expect(upstream.requestsTo().every(({ headers }) => headers["cache-control"] === undefined)).toBe(true);
  });

  test("how long its reply is kept", async () => {
    await ask(proxy.url, bodyWith({ cache: { ttl: 10 } }));
    wallClock += 9_999;
    expect((await ask(proxy.url, bodyWith())).text).toContain("answer 0");
    wallClock += 2;
    expect((await ask(proxy.url, bodyWith())).text).toContain("answer 1");
    wallClock += 599_000;
    expect((await ask(proxy.url, bodyWith())).text).toContain("answer 1");
    wallClock += 2000;
    expect((await ask(proxy.url, bodyWith())).text).toContain("answer 2");
  });

  test("how old a reply may be", async () => {
    await ask(proxy.url, bodyWith());
    wallClock += 5000;
    expect((await ask(proxy.url, bodyWith({ cache: { "s-maxage": 5 } }))).text).toContain("answer 0");
    expect((await ask(proxy.url, bodyWith({ cache: { "s-maxage": 4 } }))).text).toContain("answer 1");
  });

  test("in which namespace", async () => {
    await ask(proxy.url, bodyWith({ cache: { namespace: "a" } }));
    expect((await ask(proxy.url, bodyWith({ cache: { namespace: "b" } }))).text).toContain("answer 1");
    expect((await ask(proxy.url, bodyWith({ cache: { namespace: "a" } }))).text).toContain("answer 0");
  });

  test("nothing of it to the upstream", async () => {
    await ask(proxy.url, bodyWith({ cache: { ttl: 10, "use-cache": true } }));
    expect(upstream.requestsTo()[0]?.json()).toEqual(request);
  });
});
