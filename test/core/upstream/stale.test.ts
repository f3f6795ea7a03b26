import { Readable } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Pools } from "../../../core/upstream/pools.ts";
import { type RawConnection, okay, startRawUpstream } from "../../helpers/raw-upstream.ts";
import { type Asking, ask, settled, text } from "./asking.ts";

const pools = new Pools();
afterEach(() => pools.close());

type HangUp = (connection: RawConnection) => void;

const reset: HangUp = ({ socket }) => void socket.resetAndDestroy();
const finish: HangUp = ({ socket }) => void socket.end();

/** Answers the first request of the first connection, and hangs up when it gets a second one there; others are answered. */
function hangingUp(hangUp: HangUp): (connection: RawConnection) => Promise<void> {
  return async (connection) => {
    await connection.request();
    connection.write(okay);
    await connection.request();
    if (connection.index === 0) hangUp(connection);
    else connection.write(okay);
  };
}

async function twice(origin: string, second: Asking = {}): Promise<string> {
  await text(await ask(pools, origin));
  await settled();
  return text(await ask(pools, origin, second));
}

describe("F1: a connection that was used before and closes when the next request comes", () => {
  it.each<[string, HangUp]>([
    ["N2 with a reset", reset],
    ["with an end", finish],
  ])("%s: the request is sent once more, on a new connection", async (_, hangUp) => {
    await using upstream = await startRawUpstream(hangingUp(hangUp));
    const onSentAgain = vi.fn();
    expect(await twice(upstream.origin, { onSentAgain })).toBe("ok");
    expect(onSentAgain).toHaveBeenCalledTimes(1);
    expect(upstream.connections.map((each) => each.received().match(/POST/g)?.length)).toEqual([2, 1]);
  });

  it("is not replaced by another idle one, which may be as stale", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      await upstream.connection(1);
      connection.write(okay);
      await connection.request();
      if (connection.index < 2) reset(connection);
      else connection.write(okay);
    });
    await Promise.all([ask(pools, upstream.origin).then(text), ask(pools, upstream.origin).then(text)]);
    await settled();
    expect(pools.figures()[0]).toMatchObject({ connections: 2, inFlight: 0 });
    const onSentAgain = vi.fn();
    expect(await text(await ask(pools, upstream.origin, { onSentAgain }))).toBe("ok");
    expect(onSentAgain).toHaveBeenCalledTimes(1);
    expect(upstream.connections.map((each) => each.received().match(/POST/g)?.length).toSorted((a = 0, b = 0) => a - b)).toEqual([1, 1, 2]);
  });

  it("fails when the new one is closed, too: once is enough", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      if (connection.index > 0) return reset(connection);
      connection.write(okay);
      await connection.request();
      reset(connection);
    });
    const onSentAgain = vi.fn();
    await expect(twice(upstream.origin, { onSentAgain })).rejects.toMatchObject({ status: 502, fault: "closed-before-response" });
    expect(onSentAgain).toHaveBeenCalledTimes(1);
    expect(upstream.connections).toHaveLength(2);
  });

  it.each<[string, Asking]>([
    ["when that is switched off", { retryStale: false }],
    ["when the body is a stream that was read", { body: Readable.from([Buffer.from("{}")]) }],
  ])("is a failure %s", async (_, second) => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
      await new Promise((resolve) => void connection.socket.once("data", resolve));
      reset(connection);
    });
    await expect(twice(upstream.origin, second)).rejects.toMatchObject({ status: 502, fault: "closed-before-response" });
    expect(upstream.connections).toHaveLength(1);
  });

  it.each<[string, string]>([
    ["a byte of an answer", "H"],
    ["early hints", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ])("is a failure when %s had come", async (_, bytes) => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
      await connection.request();
      connection.socket.end(bytes);
    });
    await expect(twice(upstream.origin)).rejects.toMatchObject({ status: 502 });
    expect(upstream.connections).toHaveLength(1);
  });

  it("is a failure when it took its time: it may have been read", async () => {
    const clock = vi.spyOn(performance, "now");
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
      await connection.request();
      const now = performance.now();
      clock.mockReturnValue(now + 1000);
      reset(connection);
    });
    try {
      await expect(twice(upstream.origin)).rejects.toMatchObject({ status: 502, fault: "closed-before-response" });
    } finally {
      clock.mockRestore();
    }
    expect(upstream.connections).toHaveLength(1);
  });
});

describe("a request on a connection that was used before", () => {
  it("is not sent again when it was given up, whatever the reason is called", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
    });
    const abort = new AbortController();
    const reason = Object.defineProperty(new Error("the client left"), "code", { value: "ECONNRESET" });
    await text(await ask(pools, upstream.origin));
    await settled();
    const asked = ask(pools, upstream.origin, { signal: abort.signal });
    await upstream.connections[0]?.request();
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await upstream.connections[0]?.closed;
    expect(upstream.connections).toHaveLength(1);
  });
});

describe("N1: a new connection that is closed before it answers", () => {
  it.each<[string, HangUp]>([
    ["with a reset", reset],
    ["with an end", finish],
  ])("%s is a failure, and the request is not sent again", async (_, hangUp) => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      hangUp(connection);
    });
    const onSentAgain = vi.fn();
    await expect(ask(pools, upstream.origin, { onSentAgain })).rejects.toMatchObject({ status: 502, fault: "closed-before-response" });
    expect(onSentAgain).not.toHaveBeenCalled();
    expect(upstream.connections).toHaveLength(1);
  });
});

describe("an idle connection", () => {
  it("that the host closed is not used again, and nothing is sent twice", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
    });
    const onSentAgain = vi.fn();
    await text(await ask(pools, upstream.origin));
    await settled();
    expect(pools.figures()).toMatchObject([{ connections: 1, inFlight: 0, waiting: 0 }]);
    upstream.connections[0]?.socket.end();
    await vi.waitFor(() => expect(pools.figures()).toMatchObject([{ connections: 0, inFlight: 0, waiting: 0 }]));
    expect(await text(await ask(pools, upstream.origin, { onSentAgain }))).toBe("ok");
    expect(onSentAgain).not.toHaveBeenCalled();
  });

  it("is not used where the host says that it keeps it for less than the way there takes", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      for (;;) {
        await connection.request();
        connection.write("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 2\r\n\r\nok");
      }
    });
    await text(await ask(pools, upstream.origin));
    await settled();
    await text(await ask(pools, upstream.origin));
    expect(upstream.connections).toHaveLength(2);
  });

  it("is the one used last", async () => {
    const goAhead = Promise.withResolvers<void>();
    await using upstream = await startRawUpstream(async (connection) => {
      for (let count = 0; ; count++) {
        await connection.request();
        if (connection.index === 1 && count === 0) await goAhead.promise;
        connection.write(okay);
      }
    });
    const [first, second] = [ask(pools, upstream.origin), ask(pools, upstream.origin)];
    await text(await first);
    await settled();
    goAhead.resolve();
    await text(await second);
    await settled();
    await text(await ask(pools, upstream.origin));
    expect(upstream.connections.map((each) => each.received().match(/POST/g)?.length)).toEqual([1, 2]);
  });
});
