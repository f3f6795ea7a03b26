import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pools } from "../../../core/upstream/pools.ts";
import { SilenceWatch, type Watch, silenceWatch } from "../../../core/upstream/silence.ts";
import { startBlackHole } from "../../helpers/black-hole.ts";
import { okay, startRawUpstream } from "../../helpers/raw-upstream.ts";
import { selfSigned } from "../../helpers/self-signed.ts";
import { ask, text } from "./asking.ts";

const pools = new Pools();
afterEach(() => pools.close());

const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
const eventStream = `${head}Content-Type: text/event-stream\r\n\r\n`;
const chunk = (bytes: string): string => `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
const ping = "event: ping\n\n";
const isKeepAlive = (bytes: Uint8Array): boolean => Buffer.from(bytes).toString() === ping;

describe("silence", () => {
  let watches: SilenceWatch;
  const expire = vi.fn();
  let isPaused = false;
  beforeEach(() => {
    vi.useFakeTimers();
    expire.mockReset();
    isPaused = false;
    watches = new SilenceWatch();
  });
  afterEach(() => void vi.useRealTimers());
  const watch = (limitMs: number, expired: () => void = expire): Watch =>
    watches.add({ limitMs, isPaused: () => isPaused, expire: expired });

  it("ends what says nothing for as long as it may, once, and never before", () => {
    watch(600_000);
    vi.advanceTimersByTime(599_999);
    expect(expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expire).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(600_000);
    expect(expire).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("counts anew after every word, to within an eighth of the limit", () => {
    const one = watch(4000);
    for (let words = 0; words < 10; words++) {
      vi.advanceTimersByTime(3500);
      one.hear();
    }
    vi.advanceTimersByTime(4000);
    expect(expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    expect(expire).toHaveBeenCalledTimes(1);
  });

  it("does not count while nothing can come", () => {
    watch(4000);
    isPaused = true;
    vi.advanceTimersByTime(100_000);
    isPaused = false;
    vi.advanceTimersByTime(3500);
    expect(expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    expect(expire).toHaveBeenCalledTimes(1);
  });

  it("does not count while the process stands still: nobody was listening", () => {
    watch(4000);
    vi.advanceTimersByTime(3000);
    // The clock goes on; no timer runs.
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(500);
    expect(expire).not.toHaveBeenCalled();
  });

  it("of each is counted by its own limit, with one timer for all, and none for nobody", () => {
    const [short, long] = [vi.fn(), vi.fn()];
    const second = watch(8000, long);
    const first = watch(80, short);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(80);
    expect([short.mock.calls.length, long.mock.calls.length]).toEqual([1, 0]);
    vi.advanceTimersByTime(7920);
    expect(long).toHaveBeenCalledTimes(1);
    first.stop();
    second.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Until the watch of the process has seen so much silence. */
async function silentFor(ms: number): Promise<void> {
  await new Promise<void>((resolve) => void silenceWatch.add({ limitMs: ms, isPaused: () => false, expire: resolve }));
}

describe("an event stream", () => {
  const timeouts = { silenceMs: 80 };

  it("of pings alone is given up", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(eventStream);
      const timer = setInterval(() => connection.write(chunk(ping)), 10);
      await connection.closed;
      clearInterval(timer);
    });
    const response = await ask(pools, upstream.origin, { timeouts, isKeepAlive });
    await expect(text(response)).rejects.toMatchObject({
      status: 504,
      fault: "silence-timeout",
      message: `${upstream.origin} sent nothing but pings for 0.08 s in the middle of its answer`,
    });
    await upstream.connections[0]?.closed;
  });

  it("is asked for pings at most once for each look, and not at all without a limit", async () => {
    const events = Array.from({ length: 50 }, () => chunk("data: {}\n\n"));
    await using upstream = await startRawUpstream(async (connection) => {
      for (;;) {
        await connection.request();
        connection.write(eventStream);
        for (const event of events) {
          connection.write(event);
          await new Promise((resolve) => void setImmediate(resolve));
        }
        connection.write("0\r\n\r\n");
      }
    });
    const asked = vi.fn(isKeepAlive);
    await text(await ask(pools, upstream.origin, { isKeepAlive: asked }));
    expect(asked).not.toHaveBeenCalled();
    await text(await ask(pools, upstream.origin, { timeouts: { silenceMs: 600_000 }, isKeepAlive: asked }));
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("may be silent while its reader holds it up", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${eventStream}${chunk("x".repeat(1_000_000))}`);
      await connection.closed;
    });
    const { body } = await ask(pools, upstream.origin, { timeouts, isKeepAlive });
    await silentFor(240);
    let length = 0;
    const reading = (async () => {
      for await (const bytes of body) length += bytes.length;
    })();
    await expect(reading).rejects.toMatchObject({ fault: "silence-timeout" });
    expect(length).toBe(1_000_000);
  });
});

describe("what is no event stream", () => {
  it("may be silent", async () => {
    const goOn = Promise.withResolvers<void>();
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${head}Content-Type: application/json\r\n\r\n${chunk("{")}`);
      await goOn.promise;
      connection.write(`${chunk("}")}0\r\n\r\n`);
    });
    const asked = vi.fn(isKeepAlive);
    const response = await ask(pools, upstream.origin, { timeouts: { silenceMs: 1 }, isKeepAlive: asked });
    void silentFor(30).then(goOn.resolve);
    expect(await text(response)).toBe("{}");
    expect(asked).not.toHaveBeenCalled();
  });
});

describe("the whole", () => {
  it("has its time while connecting", async () => {
    await using hole = await startBlackHole();
    await expect(ask(pools, hole.url, { timeouts: { totalMs: 30 } })).rejects.toMatchObject({ status: 504, fault: "total-timeout" });
    expect(pools.figures()).toMatchObject([{ connections: 0, waiting: 0 }]);
  });

  it("has its time before the answer", async () => {
    await using upstream = await startRawUpstream();
    await expect(ask(pools, upstream.origin, { timeouts: { totalMs: 50 } })).rejects.toMatchObject({
      status: 504,
      fault: "total-timeout",
      message: `${upstream.origin} took longer than 0.05 s`,
    });
    await (
      await upstream.connection(0)
    ).closed;
  });

  it("has its time until its last byte, however many come", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(eventStream);
      const timer = setInterval(() => connection.write(chunk("data: 1\n\n")), 5);
      await connection.closed;
      clearInterval(timer);
    });
    const response = await ask(pools, upstream.origin, { timeouts: { totalMs: 100 } });
    await expect(text(response)).rejects.toMatchObject({ status: 504, fault: "total-timeout" });
    await upstream.connections[0]?.closed;
  });

  it("leaves no timer behind when it was in time", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const cleared = vi.spyOn(globalThis, "clearTimeout");
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
    });
    // Longer than Node's timers can be: it must not fire at once.
    const totalMs = 2 ** 40;
    expect(await text(await ask(pools, upstream.origin, { timeouts: { totalMs } }))).toBe("ok");
    const timer = set.mock.results[set.mock.calls.findIndex(([, ms]) => ms === 2 ** 31 - 1)];
    expect(cleared.mock.calls.map(([each]) => each)).toContain(timer?.value);
    vi.restoreAllMocks();
  });
});

describe("N26: a client that leaves", () => {
  const reason = new Error("the client left");
  const closesSoon = async (closed: Promise<void>, since: number): Promise<void> => {
    await closed;
    expect(performance.now() - since).toBeLessThan(100);
  };

  it.each<[string, "http" | "https"]>([
    ["while its connection is made", "http"],
    ["in the middle of a handshake", "https"],
  ])("%s: nothing is connected to any more", async (_, scheme) => {
    await using upstream = await startRawUpstream();
    await using hole = await startBlackHole();
    const abort = new AbortController();
    const asked = ask(pools, scheme === "http" ? hole.url : upstream.origin.replace("http:", "https:"), { signal: abort.signal });
    const connection = scheme === "https" ? await upstream.connection(0) : undefined;
    if (connection === undefined) await new Promise((resolve) => void setImmediate(resolve));
    expect(pools.figures()).toMatchObject([{ connections: 0, waiting: 1 }]);
    const since = performance.now();
    abort.abort(reason);
    expect(pools.figures()).toMatchObject([{ connections: 0, waiting: 0 }]);
    await expect(asked).rejects.toBe(reason);
    if (connection !== undefined) await closesSoon(connection.closed, since);
  });

  it("before the answer, or within it, closes the upstream's connection at once", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      if (connection.index === 1) connection.write(`${eventStream}${chunk("data: 1\n\n")}`);
    });
    const before = new AbortController();
    const asked = ask(pools, upstream.origin, { signal: before.signal });
    const first = await upstream.connection(0);
    let since = performance.now();
    before.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await closesSoon(first.closed, since);

    const within = new AbortController();
    const { body } = await ask(pools, upstream.origin, { signal: within.signal });
    await body.next();
    const waiting = body.next();
    since = performance.now();
    within.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await closesSoon((await upstream.connection(1)).closed, since);
    expect(pools.figures()).toMatchObject([{ connections: 0, inFlight: 0, waiting: 0 }]);
  });

  it("leaves no listener on the signal of those that go on", async () => {
    await using upstream = await startRawUpstream(
      async (connection) => {
        for (;;) {
          await connection.request();
          connection.write(okay);
        }
      },
      { tls: selfSigned("localhost") },
    );
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await expect(ask(pools, upstream.origin, { signal })).rejects.toMatchObject({ fault: "unreachable" });
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(added.mock.calls.map(([, listener]) => listener));
  });
});
