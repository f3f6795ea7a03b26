import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { benchModel } from "../../bench/bodies.ts";
import { measureFailing } from "../../bench/failing.ts";
import { type RouterUpstreams, startRouterUpstreams } from "../../bench/router.ts";
import { directLane, type RunningLane } from "../../bench/running.ts";
import { measureSlow } from "../../bench/slow.ts";
import { deployment, type Proxy, startProxy } from "../helpers/proxy.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let upstreams: RouterUpstreams;

beforeAll(async () => {
  upstreams = await startRouterUpstreams(root);
});
afterAll(() => upstreams.stop());

/** A proxy in this process before these upstreams, by number. */
function proxyOver(indexes: readonly number[], retries: number): Promise<Proxy> {
  const model_list = indexes.map((index) => deployment(benchModel, upstreams.urls[index] ?? "", { stream_timeout: 0.3 }));
  return startProxy({ config: { model_list, router_settings: { num_retries: retries } } });
}

function laneOf(proxy: Proxy): RunningLane {
  const nothing = (): Promise<never> => Promise.reject(new Error("the router's upstreams are steered otherwise"));
  const upstream = { url: proxy.url, port: proxy.port, pid: process.pid, mode: nothing, stats: nothing, stop: nothing };
  return directLane(upstream);
}

describe("three upstreams, one of which fails", () => {
  test("where the others step in, all requests are answered, at the price of those that were let down", async () => {
    await using proxy = await proxyOver([0, 1, 2], 2);
    const found = await measureFailing(laneOf(proxy), upstreams, 60);
    expect(found).toMatchObject({ requests: 60, successRate: 1, firstFailure: undefined });
    expect(found.upstreamFailures).toBeGreaterThan(0);
    expect(found.amplification).toBe(1 + found.upstreamFailures / 60);
  });

  test("where nobody does, each request that was let down and not sent again counts as lost", async () => {
    await using proxy = await proxyOver([2], 0);
    const found = await measureFailing(laneOf(proxy), upstreams, 24);
    expect(found.upstreamFailures).toBeGreaterThan(0);
    // A reset on a connection that had served others before is sent once more.
    const sentAgain = found.amplification - 1;
    expect(found.successRate).toBeCloseTo(1 - found.upstreamFailures / 24 + sentAgain);
    expect(found.successRate).toBeLessThan(1);
    expect(found.firstFailure).toMatch(/status|broke off/);
  });
});

test("beside slow readers as many requests are asked as without", async () => {
  await using proxy = await proxyOver([0], 0);
  const slow = await measureSlow(laneOf(proxy), { root, readers: 3, rounds: 1, requestsPerRound: 8, settleMs: 20_000 });
  expect(slow).toMatchObject({ readers: 3, requests: 16 });
  expect(slow.besideP99Ms).toBeGreaterThanOrEqual(slow.besideP50Ms);
});
