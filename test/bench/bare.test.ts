import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { createBare } from "../../bench/bare.ts";
import { encodeEvent, messageEvents } from "../helpers/events.ts";
import { cutReply, errorReply, rawReply, streamReply } from "../helpers/replies.ts";
import { startUpstream, type Script, type Upstream } from "../helpers/upstream.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(script?: Script): Promise<{ readonly upstream: Upstream; readonly url: string }> {
  const upstream = await startUpstream(script);
  const server: Server = createBare(upstream.url).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => upstream.close());
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { upstream, url: `http://127.0.0.1:${address.port}` };
}

describe("the bare pass-through", () => {
  test("hands the body and the end-to-end headers on unchanged, and the events back", async () => {
    const events = messageEvents({ model: "m", blocks: [{ type: "text", text: "hello there" }] });
    const { upstream, url } = await start(streamReply({ events, headers: { "request-id": "req_7" } }));
    const body = Buffer.alloc(300_000, '{"a":"ü"}');
    const response = await fetch(`${url}/v1/messages?beta=true`, { method: "POST", body, headers: { "x-api-key": "k", te: "trailers" } });
    expect(await response.text()).toBe(Buffer.concat(events.map(encodeEvent)).toString());
    expect(response.headers.get("request-id")).toBe("req_7");
    const request = upstream.requests[0];
    expect(request?.body.equals(body)).toBe(true);
    expect(request?.url).toBe("/v1/messages?beta=true");
    expect(request?.headers["x-api-key"]).toBe("k");
    expect(request?.headers["te"]).toBeUndefined();
    expect(request?.headers["host"]).toBe(new URL(upstream.url).host);
  });

  test("the first event arrives while the upstream is still holding the rest", async () => {
    const { url } = await start(streamReply({ stallAfter: { events: 1 } }));
    const reader = (await fetch(`${url}/v1/messages`, { method: "POST", body: "{}" })).body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toContain("message_start");
    await reader?.cancel();
  });

  test("a client that leaves ends the exchange upstream, before and after the headers", async () => {
    const { upstream, url } = await start([streamReply({ stallAfter: { events: 1 } }), rawReply(() => undefined)]);
    for (let round = 0; round < 2; round++) {
      const abort = new AbortController();
      const arrived = upstream.nextRequest();
      const response = fetch(`${url}/v1/messages`, { method: "POST", body: "{}", signal: abort.signal });
      response.catch(() => undefined);
      const request = await arrived;
      if (round === 0) await response;
      abort.abort();
      await request.aborted;
    }
  });

  test("an upstream that breaks off breaks the reply off, never ends it cleanly", async () => {
    const { url } = await start([streamReply({ cutAfter: { events: 2 } }), cutReply("reset"), errorReply(529)]);
    const broken = await fetch(`${url}/v1/messages`, { method: "POST", body: "{}" });
    await expect(broken.text()).rejects.toThrow();
    expect((await fetch(`${url}/v1/messages`, { method: "POST", body: "{}" })).status).toBe(502);
    expect((await fetch(`${url}/v1/messages`, { method: "POST", body: "{}" })).status).toBe(529);
  });

  test("a client that does not read holds the upstream back", async () => {
    const wanted = 64 * 1024 * 1024;
    const stopped = Promise.withResolvers<number>();
    let written = 0;
    const { url } = await start(
      rawReply((response) => {
        const piece = Buffer.alloc(256 * 1024, 1);
        response.writeHead(200);
        while (written < wanted) {
          written += piece.length;
          if (!response.write(piece)) {
            stopped.resolve(written);
            break;
          }
        }
        response.on("drain", () => {
          while (written < wanted) {
            written += piece.length;
            if (!response.write(piece)) return;
          }
          response.end();
        });
      }),
    );
    const asked = httpRequest(`${url}/v1/messages`, { method: "POST" }).end("{}");
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.pause();
    await stopped.promise;
    // The kernel's buffers fill up within a few turns; after that nothing moves any more.
    let seen = -1;
    while (seen !== written) {
      seen = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(written).toBeLessThan(wanted / 2);
    let received = 0;
    for await (const chunk of response) received += (chunk as Buffer).length;
    expect(received).toBe(wanted);
  });
});
