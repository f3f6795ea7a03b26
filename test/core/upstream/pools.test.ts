import { afterEach, describe, expect, it } from "vitest";
import { Pools } from "../../../core/upstream/pools.ts";
import { send, type UpstreamResponse } from "../../../core/upstream/send.ts";
import { jsonReply, noReply, streamReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const pools = new Pools();
afterEach(() => pools.close());

function ask(upstream: Upstream, signal: AbortSignal = new AbortController().signal): Promise<UpstreamResponse> {
  return send(pools.get(upstream.url), {
    method: "POST",
    path: "/v1/messages",
    headers: [],
    body: Buffer.from("{}"),
    timeouts: { connectMs: 5000, headersMs: 60_000, idleMs: 60_000 },
    signal,
    origin: upstream.url,
  });
}

async function read(response: UpstreamResponse): Promise<number> {
  let length = 0;
  for await (const chunk of response.body) length += chunk.length;
  return length;
}

describe("pools", () => {
  it("are one for each origin", () => {
    const pool = pools.get("http://127.0.0.1:1");
    expect(pools.get("http://127.0.0.1:1")).toBe(pool);
    expect(pools.get("http://127.0.0.1:2")).not.toBe(pool);
  });

  it("use a connection again, and as many as there are requests at once", async () => {
    await using upstream = await startUpstream(jsonReply({ ok: true }));
    for (let count = 0; count < 3; count++) {
      await read(await ask(upstream));
      // A connection is free again a turn after its answer.
      await new Promise((resolve) => void setImmediate(resolve));
    }
    expect(upstream.connections).toBe(1);
    const stream = streamReply({ stallAfter: { events: 1 } });
    upstream.script(stream);
    const open = await Promise.all(Array.from({ length: 20 }, () => ask(upstream)));
    expect(upstream.connections).toBe(20);
    await Promise.all(open.map(({ body }) => body.return()));
  });

  it("use no connection again whose answer was not read to its end", async () => {
    await using upstream = await startUpstream([streamReply({ stallAfter: { events: 1 } }), jsonReply({ ok: true })]);
    const { body } = await ask(upstream);
    await body.next();
    await body.return();
    await upstream.requests[0]?.aborted;
    await read(await ask(upstream));
    expect(upstream.connections).toBe(2);
  });

  it("send no request that was given up while its connection was made", async () => {
    await using upstream = await startUpstream(jsonReply({ ok: true }));
    const abort = new AbortController();
    const givenUp = ask(upstream, abort.signal);
    abort.abort(new Error("given up"));
    await expect(givenUp).rejects.toThrow("given up");
    for (let count = 0; count < 3; count++) await read(await ask(upstream));
    expect(upstream.requests).toHaveLength(3);
  });

  it("fail what is open when they are closed, and can be used again", async () => {
    await using upstream = await startUpstream([noReply(), jsonReply({ ok: true })]);
    const arrived = upstream.nextRequest();
    const pending = ask(upstream);
    await arrived;
    await Promise.all([expect(pending).rejects.toMatchObject({ name: "ProxyError", status: 502 }), pools.close()]);
    expect(await read(await ask(upstream))).toBeGreaterThan(0);
  });
});
