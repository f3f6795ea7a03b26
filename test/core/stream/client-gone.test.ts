import { once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dial, openAnswer, rawPost } from "../../helpers/client.ts";
import { recordsOf, statusOf, untilIdle } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import { noReply, rawReply, streamReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const body = JSON.stringify({ model: "m", max_tokens: 5, stream: true, messages: [{ role: "user", content: "hi" }] });
const filler = Buffer.from(`event: x\ndata: "${"x".repeat(60_000)}"\n\n`);

let upstream: Upstream;
let proxy: Proxy;
const crashes: unknown[] = [];
const crashed = (error: unknown): unknown => crashes.push(error);

beforeAll(() => void process.on("uncaughtException", crashed).on("unhandledRejection", crashed));
afterAll(() => void process.off("uncaughtException", crashed).off("unhandledRejection", crashed));

beforeEach(async () => {
  upstream = await startUpstream();
  const once = deployment("once", upstream.url, { num_retries: 0 });
  proxy = await startProxy({ config: { model_list: [deployment("m", upstream.url), once] } });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
  expect(crashes).toEqual([]);
});

/** The one exchange ended once, as the client's doing. */
async function expectGone(): Promise<void> {
  await untilIdle(proxy);
  expect(await recordsOf(proxy)).toEqual([expect.objectContaining({ outcome: "client-gone", level: "info" })]);
}

describe("a client that leaves", () => {
  it("with its first bytes leaves nothing open", async () => {
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body));
    connection.socket.resetAndDestroy();
    await untilIdle(proxy);
    const records = await recordsOf(proxy);
    expect(records.every(({ outcome }) => outcome === "client-gone")).toBe(true);
    expect(upstream.openExchanges).toBe(0);
  });

  it.each(["close", "reset"])("in the middle of its body (%s) asks nothing of the upstream", async (how) => {
    const connection = await dial(proxy.url);
    const text = rawPost(proxy.url, body);
    connection.write(text.slice(0, -5));
    while ((await statusOf(proxy)).openExchanges < 1);
    if (how === "close") connection.socket.end();
    else connection.socket.resetAndDestroy();
    await expectGone();
    expect(upstream.requests).toEqual([]);
  });

  it.each(["close", "reset"])("before the headers (%s) aborts the upstream", async (how) => {
    upstream.script(noReply());
    const arrived = upstream.nextRequest();
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body));
    const request = await arrived;
    if (how === "close") connection.socket.destroy();
    else connection.socket.resetAndDestroy();
    await request.aborted;
    await expectGone();
  });

  it.each(["close", "reset"])("in the middle of a silent stream (%s) aborts the upstream", async (how) => {
    upstream.script(streamReply({ stallAfter: { events: 3 } }));
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body));
    await connection.until("content_block_start");
    if (how === "close") connection.socket.destroy();
    else connection.socket.resetAndDestroy();
    await upstream.requests[0]?.aborted;
    await expectGone();
  });

  it.each(["close", "reset"])("in the middle of a pouring stream (%s) aborts the upstream", async (how) => {
    upstream.script(
      rawReply(async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        const closed = once(response, "close");
        const abort = new AbortController();
        while (!response.destroyed) if (!response.write(filler)) await Promise.race([once(response, "drain", abort), closed]);
        abort.abort();
      }),
    );
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body));
    await connection.until("xxxxxx");
    if (how === "close") connection.socket.destroy();
    else connection.socket.resetAndDestroy();
    await upstream.requests[0]?.aborted;
    await expectGone();
  });

  it("while it does not read aborts an upstream that stands still", async () => {
    const full = Promise.withResolvers<void>();
    upstream.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        while (response.write(filler));
        const more = (): void => {
          if (response.destroyed) return;
          let turns = 0;
          const wait = (): unknown => (++turns > 500 ? full.resolve() : response.writableNeedDrain && setImmediate(wait));
          while (response.write(filler));
          wait();
        };
        response.on("drain", more);
      }),
    );
    const connection = await dial(proxy.url);
    connection.socket.pause();
    connection.write(rawPost(proxy.url, body));
    await full.promise;
    connection.socket.destroy();
    await upstream.requests[0]?.aborted;
    await expectGone();
  });

  it("at the last byte is either served or gone, never anything else", async () => {
    upstream.script(streamReply());
    for (let count = 0; count < 20; count++) {
      const answer = await openAnswer(proxy.url, body);
      await answer.until("message_stop");
      answer.leave();
    }
    await untilIdle(proxy);
    const records = await recordsOf(proxy);
    expect(records).toHaveLength(20);
    expect(records.filter(({ outcome }) => outcome !== "completed" && outcome !== "client-gone")).toEqual([]);
  });

  it("in the middle of a plain reply aborts the upstream", async () => {
    upstream.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"id":');
      }),
    );
    const arrived = upstream.nextRequest();
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body.replace('"stream":true', '"stream":false')));
    const { aborted } = await arrived;
    connection.socket.destroy();
    await aborted;
    await expectGone();
  });

  it("is alone in that: its neighbours' streams go on", async () => {
    const goAhead = Promise.withResolvers<void>();
    upstream.script(streamReply({ stallAfter: { events: 3 }, stallUntil: goAhead.promise }));
    const answers = await Promise.all(Array.from({ length: 20 }, () => openAnswer(proxy.url, body)));
    await Promise.all(answers.map((answer) => answer.until("content_block_start")));
    for (const [index, answer] of answers.entries()) if (index % 2 === 0) answer.leave();
    goAhead.resolve();
    const stayed = answers.filter((_, index) => index % 2 === 1);
    expect(await Promise.all(stayed.map(({ ended }) => ended))).toEqual(stayed.map(() => "clean"));
    expect(stayed.every(({ text }) => text.includes("message_stop"))).toBe(true);
    await untilIdle(proxy);
    const outcomes = Map.groupBy(await recordsOf(proxy), ({ outcome }) => outcome);
    expect([outcomes.get("client-gone")?.length, outcomes.get("completed")?.length, outcomes.size]).toEqual([10, 10, 2]);
  });
});

describe("a client that sends nothing more", () => {
  it("and closes its half after the request counts as gone: nobody can tell it from one that left", async () => {
    upstream.script(noReply());
    const arrived = upstream.nextRequest();
    const connection = await dial(proxy.url, { allowHalfOpen: true });
    connection.socket.end(rawPost(proxy.url, body));
    await (
      await arrived
    ).aborted;
    await expectGone();
  });
});
