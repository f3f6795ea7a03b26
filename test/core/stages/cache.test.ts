import { beforeEach, describe, expect, test, vi } from "vitest";

import type { createChain } from "../../../core/chain.ts";
import { openAnswer } from "../../helpers/client.ts";
import { errorReply, jsonReply, streamReply, textReply } from "../../helpers/replies.ts";
import { CachedProxy, request } from "../cache/cached-proxy.ts";
import type { OwnServices } from "../cache/spliced-chain.ts";

const own = vi.hoisted(() => ({ services: {} as OwnServices }));

vi.mock("../../../core/chain.ts", async (original) => {
  const chainOf = (await original<{ readonly createChain: typeof createChain }>()).createChain;
  const { withCache } = await import("../cache/spliced-chain.ts");
  const create: typeof createChain = (services, route) => withCache(chainOf(services, route), { ...services, ...own.services });
  return { createChain: create };
});

const here = new CachedProxy(own);

describe("a request that was asked before", () => {
  beforeEach(async () => here.start());

  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("is answered without an upstream (streamed: first %s, then %s)", async (first, second) => {
    await here.send({ stream: first });
    const again = await here.send({ stream: second });
    expect(here.upstream.requestsTo().length).toBe(1);
    expect(again.status).toBe(200);
    expect(again.headers["content-type"]).toContain(second ? "text/event-stream" : "application/json");
    expect(again.text).toContain("answer 0");
    if (second) expect(again.text).toContain("event: message_stop");
    else expect(again.json()).toMatchObject({ type: "message", content: [{ type: "text", text: "answer 0" }] });
    expect(here.cache.figures.describe()).toMatchObject({ hits: 1, misses: 1, stored: 1 });
  });

  test("is given the same bytes", async () => {
    const first = await here.send({ stream: true });
    const second = await here.send({ stream: true });
    expect(second.text).toBe(first.text);
  });
});

describe("what is not kept", () => {
  beforeEach(async () => here.start());

  test.each([
    ["a stream that was cut", streamReply({ text: "cut", cutAfter: { events: 3 } })],
    ["a stream that ended without its end", streamReply({ text: "cut", cutAfter: { events: 3 }, cut: "finish" })],
    ["a stream with an error in it", streamReply({ text: "cut", cutAfter: { events: 3 }, error: { type: "api_error", message: "no" } })],
    ["an error", errorReply(400)],
  ])("%s", async (_, reply) => {
    here.upstream.script([reply, textReply("whole")]);
    await here.send({ stream: true });
    const second = await here.send({ stream: true });
    expect(second.text).toContain("whole");
    expect((await here.cache.store.stats()).entries).toBe(1);
  });

  test("the reply to a client that has left; the others get theirs", async () => {
    const begun = Promise.withResolvers<void>();
    here.upstream.script((_, index) => {
      if (index > 0) return textReply("second");
      begun.resolve();
      return streamReply({ text: "first", stallAfter: { events: 3 } });
    });
    const first = await openAnswer(here.proxy.url, JSON.stringify({ ...request, stream: true }));
    await begun.promise;
    const others = Array.from({ length: 3 }, async () => here.send({ stream: true }));
    await here.untilOpen(4);
    first.leave();
    const answers = await Promise.all(others);
    expect(answers.map(({ status, end }) => [status, end])).toEqual(Array.from({ length: 3 }, () => [200, "clean"]));
    expect(answers.every(({ text }) => text.includes("second"))).toBe(true);
    expect(here.upstream.requestsTo().length).toBe(2);
  });
});

describe("a request says", () => {
  beforeEach(async () => here.start());

  test("that it wants no stored reply: its own is stored", async () => {
    await here.send();
    expect((await here.send({ cache: { "no-cache": true } })).text).toContain("answer 1");
    expect((await here.send()).text).toContain("answer 1");
  });

  test("that its reply is not to be stored", async () => {
    await here.send({ cache: { "no-store": true } });
    expect((await here.send()).text).toContain("answer 1");
  });

  test("the same in a header, which does not go upstream", async () => {
    await here.send({}, { "cache-control": "no-store" });
    expect((await here.send({}, { "cache-control": "no-cache" })).text).toContain("answer 1");
    expect((await here.send()).text).toContain("answer 1");
    expect(here.upstream.requestsTo().every(({ headers }) => headers["cache-control"] === undefined)).toBe(true);
  });

  test("how long its reply is kept", async () => {
    await here.send({ cache: { ttl: 10 } });
    here.cache.clock.now += 9_999;
    expect((await here.send()).text).toContain("answer 0");
    here.cache.clock.now += 2;
    expect((await here.send()).text).toContain("answer 1");
    here.cache.clock.now += 599_000;
    expect((await here.send()).text).toContain("answer 1");
    here.cache.clock.now += 2000;
    expect((await here.send()).text).toContain("answer 2");
  });

  test("how old a reply may be", async () => {
    await here.send();
    here.cache.clock.now += 5000;
    expect((await here.send({ cache: { "s-maxage": 5 } })).text).toContain("answer 0");
    expect((await here.send({ cache: { "s-maxage": 4 } })).text).toContain("answer 1");
  });

  test("in which namespace", async () => {
    await here.send({ cache: { namespace: "a" } });
    expect((await here.send({ cache: { namespace: "b" } })).text).toContain("answer 1");
    expect((await here.send({ cache: { namespace: "a" } })).text).toContain("answer 0");
  });

  test("nothing of it to the upstream", async () => {
    await here.send({ cache: { ttl: 10, "use-cache": true } });
    expect(here.upstream.requestsTo()[0]?.json()).toEqual(request);
  });
});

test("a whole reply that is no message is not kept", async () => {
  await here.start();
  here.upstream.script([jsonReply({ type: "error", error: { type: "api_error", message: "no" } }), textReply("whole")]);
  await here.send();
  expect((await here.send()).text).toContain("whole");
});
