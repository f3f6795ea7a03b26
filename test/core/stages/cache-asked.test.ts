import { beforeEach, describe, expect, test, vi } from "vitest";

import type { createChain } from "../../../core/chain.ts";
import { type Answer, ask } from "../../helpers/client.ts";
import { jsonReply, textReply } from "../../helpers/replies.ts";
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
beforeEach(async () => here.start());

const sendTo = async (path: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
  ask(here.proxy.url, JSON.stringify({ ...request, ...more }), { path });

test("what asks for other deployments, other fallbacks or in another way is another request", async () => {
  await here.send();
  await here.send({ tags: ["paid"] });
  await here.send({ fallbacks: ["n"] });
  await sendTo("/v1/messages?beta=true");
  expect(here.upstream.requestsTo().length).toBe(4);
  await here.send({ tags: ["paid"] });
  await sendTo("/v1/messages?beta=true");
  expect(here.upstream.requestsTo().length).toBe(4);
});

test("what is to go on in the background is asked for each time", async () => {
  await here.send({ background: true });
  await here.send({ background: true });
  expect(here.upstream.requestsTo().length).toBe(2);
});

test("who wants its reply kept from others waits for nobody, and nobody for it", async () => {
  const gate = Promise.withResolvers<void>();
  here.upstream.script(async () => {
    await gate.promise;
    return textReply("one");
  });
  const all = Array.from({ length: 3 }, async () => here.send({ cache: { "no-store": true } }));
  await here.untilOpen(3);
  gate.resolve();
  await Promise.all(all);
  expect(here.upstream.requestsTo().length).toBe(3);
});

describe("a reply is not kept", () => {
  const message = { id: "msg_1", type: "message", role: "assistant", content: [], model: "m", stop_reason: "end_turn", usage: {} };

  test.each([
    ["of another status", jsonReply(message, { status: 203 })],
    ["in a coding that nobody here reads", jsonReply(message, { headers: { "content-encoding": "x-own" } })],
  ])("%s", async (_, reply) => {
    here.upstream.script(reply);
    await here.send();
    await here.send();
    expect(here.upstream.requestsTo().length).toBe(2);
  });
});
