import { describe, expect, test } from "vitest";

import { strategies } from "../../../plugins/strategies/index.ts";
import { type DeploymentState, type Sample, unusedState } from "../../../sdk/routing-store.ts";
import { type Candidate, type Strategy, StrategyArgumentError, type StrategyRequest } from "../../../sdk/strategy.ts";
import { chiSquare, seeded, unlikely } from "../../helpers/seeded.ts";

const factories = new Map((strategies.setup().strategies ?? []).map((factory) => [factory.name, factory]));

function create(name: string, args: Readonly<Record<string, unknown>> = {}): Strategy {
  const factory = factories.get(name);
  if (factory === undefined) throw new Error(`there is no ${name}`);
  return factory.create(args);
}

type Wanted = Partial<Omit<Candidate, "state">> & Partial<DeploymentState>;

function candidate(deploymentId: string, wanted: Wanted = {}): Candidate {
  const { inFlight, requests, tokens, latencies, firstContents, ...rest } = { ...unusedState, ...wanted };
  return {
    deploymentId,
    group: "g",
    model: "m",
    providerName: "p",
    weight: undefined,
    rpm: undefined,
    tpm: undefined,
    inputCost: undefined,
    outputCost: undefined,
    ...rest,
    state: { ...unusedState, inFlight, requests, tokens, latencies, firstContents },
  };
}

const samples = (...seconds: readonly number[]): readonly Sample[] => seconds.map((each) => ({ seconds: each, ageMs: 0 }));

const draws = 20_000;

/** How often each one is chosen. */
async function tally(
  strategy: Strategy,
  candidates: readonly Candidate[],
  request: Partial<StrategyRequest> = {},
): Promise<ReadonlyMap<string, number>> {
  const random = seeded(42);
  const counts = new Map<string, number>();
  for (let draw = 0; draw < draws; draw++) {
    const chosen = await strategy.choose(candidates, { stream: false, inputTokens: 0, random, ...request });
    const id = chosen?.deploymentId ?? "nobody";
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Exactly these shares, as far as chance can tell. */
async function expectShares(
  strategy: Strategy,
  candidates: readonly Candidate[],
  shares: Readonly<Record<string, number>>,
  request: Partial<StrategyRequest> = {},
): Promise<void> {
  const counts = await tally(strategy, candidates, request);
  const kinds = Object.values(shares).filter((share) => share > 0).length;
  expect(chiSquare(counts, shares), JSON.stringify(Object.fromEntries(counts))).toBeLessThan(unlikely[kinds - 1] || Number.EPSILON);
}

test("there are those of LiteLLM, one of them under two names", () => {
  expect([...factories.keys()]).toEqual([
    "simple-shuffle",
    "least-busy",
    "latency-based-routing",
    "usage-based-routing-v2",
    "usage-based-routing",
    "cost-based-routing",
  ]);
});

describe("simple-shuffle", () => {
  const shuffle = create("simple-shuffle");

  test("gives all the same share where nothing says otherwise", async () => {
    await expectShares(shuffle, [candidate("a"), candidate("b"), candidate("c")], { a: 1, b: 1, c: 1 });
  });

  test("shares by weight, whatever rpm and tpm say", async () => {
    const candidates = [
      candidate("a", { weight: 9, rpm: 1, tpm: 1 }),
      candidate("b", { weight: 1, rpm: 900 }),
      candidate("c", { weight: 2.5 }),
    ];
    await expectShares(shuffle, candidates, { a: 9, b: 1, c: 2.5 });
  });

  test("shares by rpm where there is no weight", async () => {
    await expectShares(shuffle, [candidate("a", { rpm: 600, tpm: 1 }), candidate("b", { rpm: 200, tpm: 9 })], { a: 3, b: 1 });
  });

  test("shares by tpm where there is neither", async () => {
    await expectShares(shuffle, [candidate("a", { tpm: 10_000 }), candidate("b", { tpm: 90_000 })], { a: 1, b: 9 });
  });

  test("gives nothing to who has no weight beside those that have one, wherever it stands", async () => {
    await expectShares(shuffle, [candidate("a"), candidate("b", { weight: 1 }), candidate("c", { weight: 3 })], { b: 1, c: 3 });
  });

  test("goes on to the next measure where all weights are 0", async () => {
    await expectShares(shuffle, [candidate("a", { weight: 0, rpm: 1 }), candidate("b", { weight: 0, rpm: 4 })], { a: 1, b: 4 });
    await expectShares(shuffle, [candidate("a", { weight: 0 }), candidate("b", { weight: 0 })], { a: 1, b: 1 });
  });

  test("asks nobody how the deployments are", () => {
    expect(shuffle.usesState).toBe(false);
  });

  test("finds somebody for the very last of all random numbers", async () => {
    const random = (): number => 1 - Number.EPSILON / 2;
    // What is left of their sum comes to exactly nothing.
    const candidates = [0.1, 0.1, 0.4, 0].map((weight, index) => candidate(String(index), { weight }));
    expect(await shuffle.choose(candidates, { stream: false, inputTokens: 0, random })).toBe(candidates[2]);
  });
});

describe("least-busy", () => {
  const leastBusy = create("least-busy");

  test("takes the one with the fewest requests under way, whatever else it did", async () => {
    const candidates = [
      candidate("a", { inFlight: 2, requests: 2 }),
      candidate("b", { inFlight: 1, requests: 900 }),
      candidate("c", { inFlight: 5 }),
    ];
    await expectShares(leastBusy, candidates, { b: 1 });
  });

  test("takes any of those that are equally busy", async () => {
    const candidates = [candidate("a", { inFlight: 1 }), candidate("b", { inFlight: 3 }), candidate("c", { inFlight: 1 })];
    await expectShares(leastBusy, candidates, { a: 1, c: 1 });
  });
});

describe("usage-based-routing", () => {
  describe.each(["usage-based-routing-v2", "usage-based-routing"])("under the name %s", (name) => {
    const usage = create(name);

    test("takes the one that used the fewest tokens, whatever its limit", async () => {
      const candidates = [
        candidate("a", { tokens: 500, tpm: 1_000_000 }),
        candidate("b", { tokens: 400, tpm: 1000 }),
        candidate("c", { tokens: 900 }),
      ];
      await expectShares(usage, candidates, { b: 1 });
    });

    test("takes any of those that used the same", async () => {
      await expectShares(usage, [candidate("a"), candidate("b", { tokens: 1 }), candidate("c")], { a: 1, c: 1 });
    });

    test("leaves out what this request would bring over its tokens", async () => {
      const candidates = [candidate("a", { tokens: 400, tpm: 1000 }), candidate("b", { tokens: 800, tpm: 2000 })];
      await expectShares(usage, candidates, { a: 1 }, { inputTokens: 600 });
      await expectShares(usage, candidates, { b: 1 }, { inputTokens: 601 });
    });

    test("leaves out what has had its requests", async () => {
      const candidates = [candidate("a", { requests: 60, rpm: 60 }), candidate("b", { requests: 59, rpm: 60, tokens: 9 })];
      await expectShares(usage, candidates, { b: 1 });
    });

    test("takes nobody where all are over their limits", async () => {
      const candidates = [candidate("a", { requests: 60, rpm: 60 }), candidate("b", { tokens: 10, tpm: 10 })];
      expect(await tally(usage, candidates, { inputTokens: 1 })).toEqual(new Map([["nobody", draws]]));
    });
  });
});

describe("latency-based-routing", () => {
  const latency = create("latency-based-routing");

  test("takes the one with the lowest mean", async () => {
    const candidates = [
      candidate("a", { latencies: samples(0.1, 0.5) }),
      candidate("b", { latencies: samples(0.2, 0.3) }),
      candidate("c", { latencies: samples(0.9) }),
    ];
    await expectShares(latency, candidates, { b: 1 });
  });

  test("asks those first that nobody has asked", async () => {
    await expectShares(latency, [candidate("a", { latencies: samples(0.1) }), candidate("b"), candidate("c")], { b: 1, c: 1 });
  });

  test("takes any that are within the buffer, and nobody beyond it", async () => {
    const buffered = create("latency-based-routing", { lowest_latency_buffer: 0.5 });
    const candidates = [
      candidate("a", { latencies: samples(0.2) }),
      candidate("b", { latencies: samples(0.3) }),
      candidate("c", { latencies: samples(0.31) }),
    ];
    await expectShares(buffered, candidates, { a: 1, b: 1 });
    await expectShares(latency, candidates, { a: 1 });
  });

  test("goes by the first content where the request streams, by whole replies where it does not", async () => {
    const candidates = [
      candidate("a", { latencies: samples(0.1), firstContents: samples(9) }),
      candidate("b", { latencies: samples(0.2), firstContents: samples(3) }),
    ];
    await expectShares(latency, candidates, { b: 1 }, { stream: true });
    await expectShares(latency, candidates, { a: 1 }, { stream: false });
  });

  test("goes by whole replies for a stream, too, where there has been none", async () => {
    const candidates = [candidate("a", { latencies: samples(0.1) }), candidate("b", { latencies: samples(0.2) })];
    await expectShares(latency, candidates, { a: 1 }, { stream: true });
  });

  test("looks back no further than it was told to", async () => {
    const old = { seconds: 9, ageMs: 10_000 };
    const candidates = [candidate("a", { latencies: [old, { seconds: 0.1, ageMs: 0 }] }), candidate("b", { latencies: samples(0.2) })];
    await expectShares(create("latency-based-routing", { ttl: 10 }), candidates, { a: 1 });
    await expectShares(create("latency-based-routing", { ttl: 10.001 }), candidates, { b: 1 });
    const hour = [candidate("a", { latencies: [{ seconds: 9, ageMs: 3_600_000 }] }), candidate("b", { latencies: samples(0.2) })];
    await expectShares(latency, hour, { a: 1 });
  });

  test("looks at no more of the last ones than it was told to", async () => {
    const candidates = [candidate("a", { latencies: samples(9, 9, 0.1) }), candidate("b", { latencies: samples(0.2) })];
    await expectShares(create("latency-based-routing", { max_latency_list_size: 1 }), candidates, { a: 1 });
    await expectShares(create("latency-based-routing", { max_latency_list_size: 2 }), candidates, { b: 1 });
  });

  test("goes by a percentile of first contents where it was told to", async () => {
    const candidates = [candidate("a", { firstContents: samples(1, 9, 1, 1) }), candidate("b", { firstContents: samples(2, 2, 2, 2) })];
    await expectShares(latency, candidates, { b: 1 }, { stream: true });
    await expectShares(create("latency-based-routing", { ttft_percentile: 0.75 }), candidates, { a: 1 }, { stream: true });
    await expectShares(create("latency-based-routing", { ttft_percentile: 0.76 }), candidates, { b: 1 }, { stream: true });
    await expectShares(create("latency-based-routing", { ttft_percentile: null }), candidates, { b: 1 }, { stream: true });
  });

  test("stays away from who ran into a timeout", async () => {
    const candidates = [candidate("a", { latencies: samples(0.001, 1000) }), candidate("b", { latencies: samples(5, 5) })];
    await expectShares(latency, candidates, { b: 1 });
  });

  test("leaves out what is over its limits", async () => {
    const candidates = [
      candidate("a", { latencies: samples(0.1), rpm: 1, requests: 1 }),
      candidate("b", { latencies: samples(0.2), tpm: 10 }),
    ];
    await expectShares(latency, candidates, { b: 1 }, { inputTokens: 10 });
    await expectShares(latency, candidates, { nobody: 1 }, { inputTokens: 11 });
  });
});

describe("cost-based-routing", () => {
  const cost = create("cost-based-routing");

  test("takes the one whose tokens in and out cost least together", async () => {
    const candidates = [candidate("a", { inputCost: 1e-6, outputCost: 9e-6 }), candidate("b", { inputCost: 4e-6, outputCost: 5e-6 })];
    await expectShares(cost, candidates, { b: 1 });
  });

  test("takes any of those that cost the same", async () => {
    const same = { inputCost: 1e-6, outputCost: 2e-6 };
    await expectShares(cost, [candidate("a", same), candidate("b", same), candidate("c", { ...same, outputCost: 3e-6 })], { a: 1, b: 1 });
  });

  test("takes what costs nothing first, and what nobody knows the price of last", async () => {
    const candidates = [
      candidate("a"),
      candidate("b", { inputCost: 0, outputCost: 0 }),
      candidate("c", { inputCost: 1e-6, outputCost: 1e-6 }),
    ];
    await expectShares(cost, candidates, { b: 1 });
    await expectShares(cost, [candidate("a"), candidate("c", { inputCost: 4, outputCost: 5.9 })], { c: 1 });
    await expectShares(cost, [candidate("a", { inputCost: 0 }), candidate("c", { inputCost: 2, outputCost: 2 })], { c: 1 });
  });

  test("leaves out what is over its limits", async () => {
    const candidates = [
      candidate("a", { inputCost: 1e-6, outputCost: 1e-6, rpm: 1, requests: 1 }),
      candidate("b", { inputCost: 1, outputCost: 1 }),
    ];
    await expectShares(cost, candidates, { b: 1 });
  });
});

describe("arguments", () => {
  function refusal(name: string, args: Readonly<Record<string, unknown>>): StrategyArgumentError {
    try {
      create(name, args);
    } catch (error) {
      if (error instanceof StrategyArgumentError) return error;
    }
    throw new Error("it was not refused");
  }

  test.each([
    ["latency-based-routing", { lowest_latency_buffer: -1 }, "lowest_latency_buffer", "is -1; wanted a number, 0 or more"],
    ["latency-based-routing", { ttl: "10" }, "ttl", 'is "10"; wanted a number of seconds above 0'],
    ["latency-based-routing", { max_latency_list_size: 1.5 }, "max_latency_list_size", "is 1.5; wanted a whole number, 1 or more"],
    ["latency-based-routing", { ttft_percentile: 95 }, "ttft_percentile", "is 95; wanted a number above 0, at most 1"],
    ["latency-based-routing", { lowest_latency_bufer: 1 }, "lowest_latency_bufer", 'Did you mean "lowest_latency_buffer"?'],
    ["usage-based-routing-v2", { ttl: 0 }, "ttl", "wanted a number of seconds above 0"],
    ["least-busy", { speed: 1 }, "speed", 'least-busy takes no arguments, found "speed"'],
  ])("that %s cannot use are refused: %o", (name, args, argument, message) => {
    const error = refusal(name, args);
    expect(error.argument).toBe(argument);
    expect(error.message).toContain(message);
  });

  test.each([...factories.keys()])("that were meant for another strategy do %s no harm", (name) => {
    expect(() => create(name, { ttl: 60, lowest_latency_buffer: 0.1 })).not.toThrow();
  });
});
