import type { LookupAddress } from "node:dns";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Names, type Resolve, createNames } from "../../../core/upstream/names.ts";
import { Pools } from "../../../core/upstream/pools.ts";
import { okay, startRawUpstream } from "../../helpers/raw-upstream.ts";
import { startBlackHole } from "../../helpers/black-hole.ts";
import { ask, sourceOf, text } from "./asking.ts";

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const v6 = (address: string): LookupAddress => ({ address, family: 6 });

function found(names: Names, hostname: string, family: 0 | 4 | 6 = 0): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    names.lookup(hostname, { all: true, family }, (error, addresses) => {
      if (error !== null) reject(error);
      else resolve(typeof addresses === "string" ? [addresses] : addresses.map(({ address }) => address));
    });
  });
}

function failing(code: string): Error {
  return Object.defineProperty(new Error(`getaddrinfo ${code}`), "code", { value: code });
}

afterEach(() => void vi.useRealTimers());

describe("names", () => {
  let clock = 0;
  const setUp = (resolve: Resolve): { readonly names: Names; readonly asked: ReturnType<typeof vi.fn<Resolve>> } => {
    const asked = vi.fn<Resolve>(resolve);
    return { names: createNames(asked, () => clock), asked };
  };

  it("are looked up once for all who ask at the same time, and for a while after", async () => {
    const { names, asked } = setUp(async () => [v4("192.0.2.1"), v6("2001:db8::1")]);
    const all = await Promise.all(Array.from({ length: 100 }, () => found(names, "a.test")));
    expect(all).toEqual(Array.from({ length: 100 }, () => ["192.0.2.1", "2001:db8::1"]));
    clock += 4999;
    await found(names, "a.test");
    expect(asked).toHaveBeenCalledTimes(1);
    clock += 1;
    await found(names, "a.test");
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("of another kind, or other ones, are looked up apart", async () => {
    const { names, asked } = setUp(async (hostname, family) => [v4(`${hostname} ${family}`)]);
    expect(await Promise.all([found(names, "a.test"), found(names, "a.test", 4), found(names, "b.test")])).toEqual([
      ["a.test 0"],
      ["a.test 4"],
      ["b.test 0"],
    ]);
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it("that do not exist are asked for once a second", async () => {
    const { names, asked } = setUp(async () => {
      throw failing("ENOTFOUND");
    });
    await expect(found(names, "a.test")).rejects.toThrow("ENOTFOUND");
    clock += 999;
    await expect(found(names, "a.test")).rejects.toThrow("ENOTFOUND");
    expect(asked).toHaveBeenCalledTimes(1);
    clock += 1;
    await expect(found(names, "a.test")).rejects.toThrow("ENOTFOUND");
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("without addresses do not exist", async () => {
    const { names } = setUp(async () => []);
    await expect(found(names, "a.test")).rejects.toThrow("a.test has no address");
  });

  it("found within five minutes are good enough when no name server answers, and not longer", async () => {
    let isDown = false;
    const { names } = setUp(async () => {
      if (isDown) throw failing("EAI_AGAIN");
      return [v4("192.0.2.1")];
    });
    await found(names, "a.test");
    isDown = true;
    clock += 299_000;
    expect(await found(names, "a.test")).toEqual(["192.0.2.1"]);
    clock += 999;
    expect(await found(names, "a.test")).toEqual(["192.0.2.1"]);
    clock += 1;
    await expect(found(names, "a.test")).rejects.toThrow("EAI_AGAIN");
    isDown = false;
    clock += 1000;
    expect(await found(names, "a.test")).toEqual(["192.0.2.1"]);
  });

  it("found within five minutes are good enough when a name server takes its time", async () => {
    vi.useFakeTimers();
    const slow = Promise.withResolvers<readonly LookupAddress[]>();
    const answers: Promise<readonly LookupAddress[]>[] = [Promise.resolve([v4("192.0.2.1")]), slow.promise];
    const { names, asked } = setUp(() => answers.shift() ?? Promise.reject(failing("EAI_AGAIN")));
    await found(names, "a.test");
    clock += 5000;
    const waiting = found(names, "a.test");
    await vi.advanceTimersByTimeAsync(499);
    slow.resolve([v4("192.0.2.2")]);
    expect(await waiting).toEqual(["192.0.2.2"]);
    clock += 5000;
    const never = Promise.withResolvers<readonly LookupAddress[]>();
    answers.push(never.promise);
    const late = found(names, "a.test");
    await vi.advanceTimersByTimeAsync(500);
    expect(await late).toEqual(["192.0.2.2"]);
    expect(asked).toHaveBeenCalledTimes(3);
    never.resolve([v4("192.0.2.3")]);
    await never.promise;
    expect(await found(names, "a.test")).toEqual(["192.0.2.3"]);
  });

  it("whose addresses could not be connected to are looked up anew", async () => {
    const answers = [[v4("192.0.2.1")], [v4("192.0.2.2")]];
    const { names } = setUp(async () => answers.shift() ?? Promise.reject(failing("EAI_AGAIN")));
    await found(names, "a.test");
    names.distrust("a.test");
    names.distrust("never-asked.test");
    expect(await found(names, "a.test")).toEqual(["192.0.2.2"]);
    names.distrust("a.test");
    expect(await found(names, "a.test")).toEqual(["192.0.2.2"]);
  });

  it("are forgotten, the oldest first, when there are too many", async () => {
    const { names, asked } = setUp(async () => [v4("192.0.2.1")]);
    for (let number = 0; number < 257; number++) await found(names, `${number}.test`);
    await found(names, "256.test");
    expect(asked).toHaveBeenCalledTimes(257);
    await found(names, "0.test");
    expect(asked).toHaveBeenCalledTimes(258);
  });
});

describe("N17: a name", () => {
  it("that does not exist is told at once", async () => {
    await using pools = disposable(new Pools());
    await expect(ask(pools, "http://nowhere.invalid")).rejects.toMatchObject({
      status: 502,
      fault: "unreachable",
      message: expect.stringMatching(
        /^http:\/\/nowhere\.invalid could not be reached \(getaddrinfo (ENOTFOUND|EAI_AGAIN) nowhere\.invalid\): /,
      ),
    });
  });

  it("that nobody answers for is given up in time", async () => {
    await using pools = disposable(new Pools(createNames(() => new Promise(() => undefined))));
    await expect(ask(pools, "http://slow.test", { timeouts: { connectMs: 30 } })).rejects.toMatchObject({
      status: 504,
      fault: "connect-timeout",
      message: "http://slow.test could not be reached within 0.03 s",
    });
  });
});

describe("F14: a host with several addresses", () => {
  it("is reached at the one that works, whatever the others do", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
    });
    // Nobody listens there, and nothing comes back from TEST-NET.
    const names = createNames(async () => [v6("::1"), v4("192.0.2.1"), v4("127.0.0.1")]);
    await using pools = disposable(new Pools(names));
    expect(await text(await ask(pools, `http://api.test:${upstream.port}`))).toBe("ok");
  });

  it("is reached over IPv4 when IPv6 swallows everything", async () => {
    await using hole = await startBlackHole();
    const { port } = new URL(hole.url);
    await using upstream = await startRawUpstream(
      async (connection) => {
        await connection.request();
        connection.write(okay);
      },
      { host: "127.0.0.2", port: Number(port) },
    );
    // The first swallows everything: connecting neither succeeds nor fails.
    const names = createNames(async () => [v6("::ffff:127.0.0.1"), v4("127.0.0.2")]);
    await using pools = disposable(new Pools(names));
    expect(await text(await ask(pools, `http://api.test:${upstream.port}`))).toBe("ok");
  });

  it("that cannot be reached at any says so", async () => {
    const closed = await startRawUpstream();
    await closed[Symbol.asyncDispose]();
    await using pools = disposable(new Pools(createNames(async () => [v6("::1"), v4("127.0.0.1")])));
    await expect(ask(pools, `http://api.test:${closed.port}`)).rejects.toMatchObject({
      fault: "unreachable",
      message: expect.stringMatching(/could not be reached \(connect ECONNREFUSED .*\): nobody listens there/),
    });
  });

  it("that moved while it could not be reached is found where it is now", async () => {
    const closed = await startRawUpstream(undefined, { host: "127.0.0.3" });
    await closed[Symbol.asyncDispose]();
    await using upstream = await startRawUpstream(
      async (connection) => {
        await connection.request();
        connection.write(okay);
      },
      { port: closed.port },
    );
    const addresses = ["127.0.0.3", "127.0.0.1"];
    await using pools = disposable(new Pools(createNames(async () => [v4(addresses.shift() ?? "")])));
    const origin = `http://api.test:${upstream.port}`;
    await expect(ask(pools, origin)).rejects.toMatchObject({ fault: "unreachable" });
    expect(await text(await ask(pools, origin))).toBe("ok");
  });

  it("is asked for by IPv4 alone where the configuration says so", async () => {
    const resolve = vi.fn<Resolve>(async () => [v4("127.0.0.1")]);
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(okay);
    });
    await using pools = disposable(new Pools(createNames(resolve)));
    await text(await ask(pools, `http://api.test:${upstream.port}`, { source: sourceOf({ forceIpv4: true }) }));
    expect(resolve.mock.calls).toEqual([["api.test", 4]]);
  });
});

function disposable(pools: Pools): Pools & AsyncDisposable {
  return Object.defineProperty(pools, Symbol.asyncDispose, { value: () => pools.close() }) as Pools & AsyncDisposable;
}
