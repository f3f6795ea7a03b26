import { afterEach, describe, expect, it, vi } from "vitest";
import type { ConnectionSource } from "../../../core/upstream/connection-settings.ts";
import { Pools } from "../../../core/upstream/pools.ts";
import { send, type UpstreamResponse } from "../../../core/upstream/send.ts";
import { jsonReply, noReply, streamReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";
import { settled, sourceOf } from "./asking.ts";

const pools = new Pools();
afterEach(() => pools.close());

async function ask(
  upstream: Upstream,
  signal: AbortSignal = new AbortController().signal,
  source?: ConnectionSource,
): Promise<UpstreamResponse> {
  return send(pools.get(upstream.url, source), {
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

  it("are the same for configurations that connect in the same way, and others for those that do not", () => {
    const variables = { HTTPS_PROXY: "http://proxy.test:1" };
    const origin = "https://api.test";
    const pool = pools.get(origin, sourceOf({}, variables));
    expect(pools.get(origin, sourceOf({}, { ...variables, OTHER: "1" }))).toBe(pool);
    const others = [
      sourceOf({}, {}),
      sourceOf({}, { HTTPS_PROXY: "http://user@proxy.test:1" }),
      sourceOf({}, { ...variables, NO_PROXY: "other.test" }),
      sourceOf({ forceIpv4: true }, variables),
      sourceOf({ verify: false }, variables),
      sourceOf({ http2: true }, variables),
    ];
    const all = others.map((source) => pools.get(origin, source));
    expect(new Set([pool, ...all]).size).toBe(others.length + 1);
  });

  it("of an earlier configuration serve what it began, and go with their last connection", async () => {
    await using upstream = await startUpstream(streamReply({ stallAfter: { events: 1 } }));
    const [before, after] = [sourceOf({}), sourceOf({ forceIpv4: true })];
    pools.get("http://never-asked.test", before);
    const { body } = await ask(upstream, undefined, before);
    await body.next();
    expect(pools.figures()).toHaveLength(2);
    upstream.script(jsonReply({ ok: true }));
    await read(await ask(upstream, undefined, after));
    expect(pools.figures()).toEqual([
      expect.objectContaining({ connections: 1, inFlight: 1 }),
      expect.objectContaining({ connections: 1 }),
    ]);
    await body.return();
    await vi.waitFor(() => expect(pools.figures()).toHaveLength(1));
    // An exchange that still holds on to the earlier one.
    expect(await read(await ask(upstream, undefined, before))).toBeGreaterThan(0);
    expect(pools.figures()).toHaveLength(2);
    await pools.close();
    expect(pools.figures()).toEqual([]);
  });

  it("tell how many connections there are, with and without requests", async () => {
    await using upstream = await startUpstream([streamReply({ stallAfter: { events: 1 } }), jsonReply({ ok: true })]);
    expect(pools.figures()).toEqual([]);
    const first = ask(upstream);
    expect(pools.figures()).toEqual([{ origin: upstream.url, proxy: undefined, connections: 0, inFlight: 0, waiting: 1 }]);
    const { body } = await first;
    await read(await ask(upstream));
    await settled();
    expect(pools.figures()).toEqual([{ origin: upstream.url, proxy: undefined, connections: 2, inFlight: 1, waiting: 0 }]);
    await body.return();
    await vi.waitFor(() => expect(pools.figures()).toMatchObject([{ connections: 1, inFlight: 0, waiting: 0 }]));
  });

  it("open no connection in place of one that was given up", async () => {
    await using upstream = await startUpstream([noReply(), jsonReply({ ok: true })]);
    const abort = new AbortController();
    const arrived = upstream.nextRequest();
    const givenUp = ask(upstream, abort.signal);
    const request = await arrived;
    abort.abort(new Error("given up"));
    await expect(givenUp).rejects.toThrow("given up");
    await request.closed;
    await read(await ask(upstream));
    expect(upstream.connections).toBe(2);
  });
});
