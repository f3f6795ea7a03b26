import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, dial, openAnswer, rawPost, type OpenAnswer } from "../helpers/client.ts";
import { recordsOf, statusOf } from "../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { errorReply, jsonReply, noReply, rawReply, streamReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";
import { startBlackHole } from "../helpers/black-hole.ts";

const body = JSON.stringify({ model: "m", max_tokens: 5, stream: true, messages: [{ role: "user", content: "hi" }] });
const never = 600_000;

let upstream: Upstream;
let proxy: Proxy;

beforeEach(async () => {
  upstream = await startUpstream();
  proxy = await startProxy({ config: { model_list: [deployment("m", upstream.url)] }, acceptMs: 0 });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

/** Streams that have begun and wait for the go-ahead. */
async function openStreams(count: number): Promise<{ readonly answers: readonly OpenAnswer[]; readonly goAhead: () => void }> {
  const goAhead = Promise.withResolvers<void>();
  upstream.script(streamReply({ stallAfter: { events: 3 }, stallUntil: goAhead.promise }));
  const answers = await Promise.all(Array.from({ length: count }, () => openAnswer(proxy.url, body)));
  await Promise.all(answers.map((answer) => answer.until("content_block_start")));
  return { answers, goAhead: goAhead.resolve };
}

/** Resolves once the listener takes nobody any more. */
async function untilDeaf(): Promise<void> {
  for (;;) {
    const socket = connect(proxy.port, "127.0.0.1");
    const refused = await Promise.race([once(socket, "connect").then(() => false), once(socket, "error").then(() => true)]).catch(
      () => true,
    );
    socket.destroy();
    if (refused) return;
  }
}

describe("a stop", () => {
  it("lets 100 open streams finish, every one whole", async () => {
    const { answers, goAhead } = await openStreams(100);
    const stopped = proxy.stop(never);
    await untilDeaf();
    goAhead();
    const ends = await Promise.all(answers.map(({ ended }) => ended));
    expect(ends.every((end) => end === "clean")).toBe(true);
    expect(answers.filter(({ text }) => !text.includes("message_stop") || text.includes("event: error"))).toEqual([]);
    await stopped;
    expect((await recordsOf(proxy)).map(({ outcome }) => outcome)).toEqual(Array(100).fill("completed"));
  });

  it("ends streams past the grace with the protocol's error, and lets the upstreams go", async () => {
    const { answers } = await openStreams(20);
    await proxy.stop(1);
    expect(await Promise.all(answers.map(({ ended }) => ended))).toEqual(Array(20).fill("clean"));
    for (const { text } of answers) expect(text).toMatch(/\n\nevent: error\ndata: .*The proxy is stopping.*\n\n$/);
    await Promise.all(upstream.requests.map(({ aborted }) => aborted));
    expect((await recordsOf(proxy)).map(({ outcome }) => outcome)).toEqual(Array(20).fill("stopped"));
  });

  it("called again ends everything at once", async () => {
    const { answers } = await openStreams(5);
    const stopped = proxy.stop(never);
    await untilDeaf();
    expect(proxy.stop()).toBe(stopped);
    await stopped;
    expect(answers.every(({ text }) => text.includes("The proxy is stopping."))).toBe(true);
  });

  it("called again waits for nobody who does not read", async () => {
    const filler = Buffer.from(`event: x\ndata: "${"x".repeat(60_000)}"\n\n`);
    const full = Promise.withResolvers<void>();
    upstream.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        const fill = (): void => {
          while (response.write(filler));
          let turns = 0;
          const wait = (): unknown => (++turns > 500 ? full.resolve() : response.writableNeedDrain && setImmediate(wait));
          wait();
        };
        response.on("drain", fill);
        fill();
      }),
    );
    const connection = await dial(proxy.url);
    connection.socket.pause();
    connection.write(rawPost(proxy.url, body));
    await full.promise;
    const stopped = proxy.stop(never);
    await untilDeaf();
    void proxy.stop();
    await stopped;
    connection.socket.destroy();
  });

  it("is not held up by a connection that has said nothing", async () => {
    const connection = await dial(proxy.url);
    // Answered, so the server has seen the connection before.
    await ask(proxy.url, undefined, { method: "GET", path: "/health/liveliness" });
    await proxy.stop(never);
    await connection.closed;
  });

  it("is not held up by kept-alive connections", async () => {
    const agent = new Agent({ keepAlive: true });
    await ask(proxy.url, undefined, { method: "GET", path: "/health/liveliness", agent });
    await proxy.stop(never);
    agent.destroy();
  });

  it("ends a request whose body is still coming with a 503 past the grace", async () => {
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body).slice(0, -5));
    while ((await statusOf(proxy)).openExchanges < 1);
    await proxy.stop(1);
    expect(connection.text).toMatch(/^HTTP\/1\.1 503 .*The proxy is stopping\./s);
  });

  it.each(["answers", "accepts"])("ends a request whose upstream never %s with a 503 past the grace", async (what) => {
    await using hole = await startBlackHole();
    upstream.script(noReply());
    await proxy.writeConfig({ model_list: [deployment("m", what === "accepts" ? hole.url : upstream.url, { connect_timeout: 500 })] });
    await proxy.reload();
    const answer = ask(proxy.url, body);
    while ((await statusOf(proxy)).openExchanges < 1);
    await proxy.stop(1);
    expect(await answer).toMatchObject({ status: 503, text: expect.stringContaining("The proxy is stopping.") });
  });

  it.each([
    ["waits to ask again", [{ retry_after: 600 }, 1, errorReply(500)]],
    ["has its head held", [{}, 2, streamReply({ stallAfter: { events: 1 } })]],
    ["waits for its turn", [{ default_max_parallel_requests: 1 }, 1, noReply()]],
  ] as const)("ends a request that %s with a 503 past the grace, and asks nobody any more", async (_, [settings, deployments, reply]) => {
    upstream.script(reply);
    await proxy.writeConfig({
      model_list: Array.from({ length: deployments }, () => deployment("m", upstream.url)),
      router_settings: { num_retries: 2, ...settings },
    });
    await proxy.reload();
    const arrived = upstream.nextRequest();
    const answers = [ask(proxy.url, body)];
    await arrived;
    if ("default_max_parallel_requests" in settings) answers.push(ask(proxy.url, body));
    while ((await statusOf(proxy)).openExchanges < answers.length);
    await proxy.stop(1);
    for (const answer of await Promise.all(answers))
      expect(answer).toMatchObject({ status: 503, text: expect.stringContaining("The proxy is stopping.") });
    expect(upstream.requestsTo()).toHaveLength(1);
  });

  it("says so to whoever asks while it lasts", async () => {
    const { answers, goAhead } = await openStreams(1);
    // Half a request keeps its connection open; the rest of it comes while the server stops.
    const connection = await dial(proxy.url);
    connection.write(`GET /health/readiness HTTP/1.1\r\nhost: 127.0.0.1:${proxy.port}\r\n`);
    expect((await ask(proxy.url, undefined, { method: "GET", path: "/health/readiness" })).json()).toMatchObject({ status: "ready" });
    const stopped = proxy.stop(never);
    await untilDeaf();
    connection.write("\r\n");
    await connection.until("draining");
    expect(connection.text).toMatch(/^HTTP\/1\.1 503 /);
    goAhead();
    await stopped;
    expect(await answers[0]?.ended).toBe("clean");
  });

  it("goes on serving new connections for a while where others may be sending requests, though none is open", async () => {
    const config = { model_list: [deployment("m", upstream.url)], general_settings: { master_key: "sk-of-the-test" } };
    await using open = await startProxy({ config, host: "0.0.0.0", acceptMs: never });
    const stopped = open.stop(never);
    const readiness = await ask(open.url, undefined, { method: "GET", path: "/health/readiness" });
    expect([readiness.status, readiness.headers.connection]).toEqual([503, "close"]);
    upstream.script(jsonReply({ ok: true }));
    const served = await ask(open.url, body, { headers: { authorization: "Bearer sk-of-the-test" } });
    expect([served.status, served.headers.connection]).toEqual([200, "close"]);
    void open.stop();
    await stopped;
  });

  it("keeps no connection alive for the requests after this one", async () => {
    const goAhead = Promise.withResolvers<void>();
    upstream.script(async () => {
      await goAhead.promise;
      return jsonReply({ ok: true });
    });
    const agent = new Agent({ keepAlive: true });
    const arrived = upstream.nextRequest();
    const answer = ask(proxy.url, body, { agent });
    await arrived;
    const stopped = proxy.stop(never);
    await untilDeaf();
    goAhead.resolve();
    expect(await answer).toMatchObject({ text: '{"ok":true}', headers: { connection: "close" } });
    await stopped;
    agent.destroy();
  });
});
