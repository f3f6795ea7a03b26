import { describe, expect, test } from "vitest";
import type { LaneResult } from "../../bench/measure.ts";
import type { RouterResult } from "../../bench/router.ts";
import { median, percentile } from "../../bench/statistics.ts";
import { judge } from "../../bench/targets.ts";

function lane(name: string, addedP50Ms: number): LaneResult {
  return {
    lane: name,
    requests: 10,
    p50Ms: addedP50Ms + 1,
    p99Ms: addedP50Ms + 2,
    firstByteP50Ms: addedP50Ms,
    addedP50Ms,
    addedP99Ms: addedP50Ms,
    addedFirstByteP50Ms: addedP50Ms,
    requestsPerSecond: 1000 / addedP50Ms,
    cpuMsPerRequest: addedP50Ms,
    rssMb: 100,
    keepsRequestBytes: true,
    failure: undefined,
  };
}

describe("the targets", () => {
  test("are met, missed or not measured, each by its own figures", () => {
    const targets = judge({
      scenarios: [
        {
          scenario: { size: "50k", form: "stream", concurrency: 1 },
          lanes: [lane("bare", 1), lane("ccproxy", 1.2), lane("ccproxy→chat", 0.9), lane("litellm→chat", 60)],
          generatorCpuMsPerRequest: 0,
        },
        {
          scenario: { size: "1m", form: "stream", concurrency: 1 },
          lanes: [lane("bare", 1), lane("ccproxy", 3), lane("ccproxy→chat", 8.5)],
          generatorCpuMsPerRequest: 0,
        },
        {
          scenario: { size: "50k", form: "stream", concurrency: 16 },
          lanes: [lane("bare", 1), lane("ccproxy", 2)],
          generatorCpuMsPerRequest: 0,
        },
      ],
      starts: [{ lane: "ccproxy", version: undefined, startMs: 400, idleRssMb: 130 }],
      held: [],
      translation: [{ wire: "gemini", requestP50Ms: { "50k": 1, "1m": 10 }, cpuUsPerEvent: 15.5 }],
    });
    const met = Object.fromEntries(targets.map((target) => [target.name, target.isMet]));
    expect(met["ccproxy: added p50 to bare's, 50k, one at a time"]).toBe(true);
    expect(met["ccproxy: added p50 to bare's, 1m, one at a time"]).toBe(false);
    expect(met["ccproxy: requests/s to bare's, 50k, 16 at a time"]).toBe(false);
    expect(met["ccproxy: processor time of a 1 MB body beyond copying"]).toBe(false);
    expect(met["start to ready"]).toBe(true);
    expect(met["resident memory, idle"]).toBe(false);
    expect(met["translated to Chat Completions: added p50, 50k"]).toBe(true);
    expect(met["translated to Chat Completions: processor time of a request, 1m"]).toBe(false);
    expect(met["translated from gemini: processor time of an event"]).toBe(false);
    expect(met["added p50 to LiteLLM's, 50k, translated to Chat Completions"]).toBe(true);
    expect(met["added p50 to Portkey's, 1m, not streamed"]).toBeUndefined();
    expect(met["5000 held streams: resident memory of each"]).toBeUndefined();
  });

  test("of the router have figures of their own", () => {
    const failing = { lane: "ccproxy", requests: 1000, upstreamFailures: 90, addedP50Ms: 0.5, addedP99Ms: 500, p50Ms: 5, p99Ms: 505 };
    const router: RouterResult = {
      failing: [{ ...failing, successRate: 0.998, amplification: 1.09, firstFailure: "status 502" }],
      held: {
        lane: "ccproxy",
        streams: 5000,
        holdMs: 1000,
        openedMs: 1000,
        rssBeforeMb: 100,
        rssHeldMb: 500,
        rssKbPerStream: 81,
        cpuMsPerSecond: 100,
        longestSilenceMs: 1000,
        loop: { p99Ms: 20, maxMs: 80 },
        broken: 0,
        failure: undefined,
      },
      slow: {
        lane: "ccproxy",
        readers: 500,
        requests: 100,
        aloneP50Ms: 5,
        aloneP99Ms: 10,
        besideP50Ms: 5,
        besideP99Ms: 11.5,
        rssKbPerReader: 300,
      },
      skipped: [],
    };
    const met = Object.fromEntries(judge({ scenarios: [], starts: [], held: [], router }).map(({ name, isMet }) => [name, isMet]));
    expect(met["one of three deployments fails 30 %: requests answered"]).toBe(false);
    expect(met["one of three deployments fails 30 %: requests upstream per request"]).toBe(true);
    expect(met["one of three deployments fails 30 %: added p50"]).toBe(true);
    expect(met["5000 held streams: resident memory of each"]).toBe(false);
    expect(met["5000 held streams: p99 of the event loop's delay"]).toBe(true);
    expect(met["beside 500 slow readers: p99 of the others' requests"]).toBe(false);
  });

  test("rest on order statistics that do not change their input", () => {
    const samples = [5, 1, 4, 2, 3];
    expect(median(samples)).toBe(3);
    expect(median([1, 2])).toBe(1.5);
    expect(percentile(samples, 0.5)).toBe(3);
    expect(percentile(samples, 0.99)).toBe(5);
    expect(samples).toEqual([5, 1, 4, 2, 3]);
    expect(median([])).toBeNaN();
  });
});
