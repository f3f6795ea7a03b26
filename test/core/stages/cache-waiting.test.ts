import { describe, expect, test, vi } from "vitest";

import type { createChain } from "../../../core/chain.ts";
import { type Answer } from "../../helpers/client.ts";
import { type Reply, errorReply, textReply } from "../../helpers/replies.ts";
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

test("fifty that ask the same at the same time are one request upstream", async () => {
  await here.start();
  const gate = Promise.withResolvers<void>();
  here.upstream.script(async () => {
    await gate.promise;
    return textReply("one");
  });
  const all = Array.from({ length: 50 }, async (_, index) => here.send({ stream: index % 2 === 0 }));
  await here.untilOpen(50);
  gate.resolve();
  const answers = await Promise.all(all);
  expect(answers.every(({ status, text, end }) => status === 200 && text.includes("one") && end === "clean")).toBe(true);
  expect(here.upstream.requestsTo().length).toBe(1);
  expect(here.cache.figures.describe().misses).toBe(1);
});

describe("those that wait", () => {
  const gated = async (replies: readonly Reply[]): Promise<readonly Answer[]> => {
    const gate = Promise.withResolvers<void>();
    here.upstream.script(async (_, index) => {
      await gate.promise;
      return replies[Math.min(index, replies.length - 1)] ?? textReply("none");
    });
    const all = Array.from({ length: 4 }, async () => here.send({ stream: true }));
    await here.untilOpen(4);
    gate.resolve();
    return Promise.all(all);
  };

  test("ask themselves when the first one fails, one after the other", async () => {
    await here.start();
    const answers = await gated([errorReply(400), errorReply(400), textReply("third")]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 400, 400]);
    expect(here.upstream.requestsTo().length).toBe(3);
  });

  test("ask all at once when the reply is too long to be kept", async () => {
    await here.start({ params: { max_mb: 1 } });
    const long = textReply("x".repeat(80_000));
    const answers = await gated([long]);
    expect(answers.every(({ text, end }) => text.length > 80_000 && end === "clean")).toBe(true);
    expect(here.upstream.requestsTo().length).toBe(4);
    expect(here.cache.figures.describe()).toMatchObject({ tooLong: 4, stored: 0, coalesced: 0 });
  });
});
