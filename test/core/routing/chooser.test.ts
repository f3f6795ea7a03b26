import { describe, expect, test } from "vitest";

import { type RouterConfig, defaultRouter } from "../../../core/config/router-types.ts";
import type { ChooserInit } from "../../../core/routing/chooser.ts";
import type { MemoryRoutingStore } from "../../../core/routing/memory-store.ts";
import type { RoutingStore } from "../../../sdk/routing-store.ts";
import { type Choosing, choosing } from "../../helpers/choosing.ts";

const three = [{ id: "a" }, { id: "b" }, { id: "c" }];

function strategy(name: string): Pick<RouterConfig, "strategy"> {
  return { strategy: { name, args: {}, location: undefined } };
}

/** Everybody who is chosen in a hundred tries. */
async function range({ chosen }: Choosing, asked: Parameters<Choosing["chosen"]>[0] = {}): Promise<readonly string[]> {
  const all = new Set<string>();
  for (let time = 0; time < 100; time++) all.add(await chosen(asked));
  return [...all].toSorted();
}

describe("among several deployments", () => {
  test("the strategy chooses, and says how many others there are", async () => {
    const setup = await choosing(three);
    expect(await range(setup)).toEqual(["a by strategy", "b by strategy", "c by strategy"]);
    expect(await setup.choose()).toMatchObject({ type: "target", others: 2 });
  });

  test("nobody is asked who has failed for this request, while somebody is left", async () => {
    const setup = await choosing(three);
    expect(await range(setup, { tried: { a: 1 } })).toEqual(["b by strategy", "c by strategy"]);
    expect(await setup.choose({ tried: { a: 1 } })).toMatchObject({ others: 1 });
    expect(await range(setup, { tried: { a: 1, b: 3 } })).toEqual(["c by strategy"]);
    expect(await setup.choose({ tried: { a: 1, b: 3 } })).toMatchObject({ others: 0 });
  });

  test("of those that have all failed, the ones that failed least often are asked again", async () => {
    const setup = await choosing(three);
    expect(await range(setup, { tried: { a: 2, b: 1, c: 1 } })).toEqual(["b by strategy", "c by strategy"]);
  });

  test("the only one is the only one", async () => {
    const setup = await choosing([{ id: "a" }]);
    expect(await setup.choose()).toMatchObject({ by: "only", others: 0, target: { group: "g", model: "claude-opus-4-5" } });
    expect(await setup.chosen({ tried: { a: 2 } })).toBe("a by only");
  });

  test("each key of an entry is a deployment of its own", async () => {
    const accounts = ["k1", "k2", "k3"].map((apiKey) => ({ apiKey, organization: undefined }));
    const setup = await choosing([{ id: "a", apiKey: "k1", accounts }]);
    expect(await range(setup)).toEqual(["a by strategy", "a~2 by strategy", "a~3 by strategy"]);
    setup.cool(`account:${setup.leg().deployments[1]?.account}`, 1000);
    expect(await range(setup)).toEqual(["a by strategy", "a~3 by strategy"]);
  });

  test("the strategy sees what the store knows", async () => {
    const setup = await choosing(three, strategy("least-busy"));
    setup.store.begin("a");
    setup.store.begin("c");
    expect(await range(setup)).toEqual(["b by strategy"]);
  });

  test("the strategy sees prices: those of the params, else of model_info, else those that are known", async () => {
    const prices = { input_cost_per_token: 1e-9, output_cost_per_token: 1e-9 };
    const none = { input_cost_per_token: 0, output_cost_per_token: 0 };
    const known = await choosing([{ id: "a" }, { id: "b", info: prices }], strategy("cost-based-routing"));
    expect(await range(known)).toEqual(["b by strategy"]);
    const said = await choosing(
      [
        { id: "a", info: none, params: { input_cost_per_token: 1, output_cost_per_token: 1 } },
        { id: "b", info: prices },
      ],
      strategy("cost-based-routing"),
    );
    expect(await range(said)).toEqual(["b by strategy"]);
  });
});

describe("order", () => {
  const ordered = [
    { id: "last" },
    { id: "b", routing: { order: 2 } },
    { id: "a1", routing: { order: 1 } },
    { id: "a2", routing: { order: 1 } },
  ];

  test("the lowest is asked first, and those without one last", async () => {
    const setup = await choosing(ordered);
    expect(await range(setup)).toEqual(["a1 by strategy", "a2 by strategy"]);
    expect(await range(setup, { tried: { a1: 1 } })).toEqual(["a2 by strategy"]);
    expect(await range(setup, { tried: { a1: 1, a2: 1 } })).toEqual(["b by strategy"]);
    expect(await range(setup, { tried: { a1: 1, a2: 1, b: 1 } })).toEqual(["last by strategy"]);
    expect(await setup.choose()).toMatchObject({ others: 3 });
  });

  test("the next one is asked where all of one are out of use", async () => {
    const setup = await choosing(ordered);
    setup.cool("deployment:a1", 1000);
    setup.cool("deployment:a2", 1000);
    expect(await range(setup)).toEqual(["b by strategy"]);
  });

  test("the next one is asked where all of one are over their limits", async () => {
    const limited = [
      { id: "a", routing: { order: 1, rpm: 1 } },
      { id: "b", routing: { order: 2, rpm: 2 } },
    ];
    const setup = await choosing(limited, strategy("usage-based-routing-v2"));
    setup.use("a", 1);
    expect(await range(setup)).toEqual(["b by strategy"]);
  });
});

describe("cooldown", () => {
  test("leaves out a deployment, or all that is behind its key, until it is over", async () => {
    const setup = await choosing([{ id: "a", apiKey: "shared" }, { id: "b", apiKey: "shared" }, { id: "c" }, { id: "d" }]);
    setup.cool("deployment:d", 5000);
    setup.cool(`account:${setup.leg().deployments[0]?.account}`, 1000);
    expect(await range(setup)).toEqual(["c by only"]);
    setup.advance(1000);
    expect(await range(setup)).toEqual(["a by strategy", "b by strategy", "c by strategy"]);
    setup.advance(4000);
    expect(await range(setup)).toHaveLength(4);
  });

  test("goes before having failed: who has failed but is in use is asked again", async () => {
    const setup = await choosing(three);
    setup.cool("deployment:b", 1000);
    setup.cool("deployment:c", 1000);
    expect(await setup.choose({ tried: { a: 1 } })).toMatchObject({ by: "only", others: 0, target: { deployment: { deploymentId: "a" } } });
  });

  test("of all leaves nobody out: the one whose ends first is asked, of those that have not failed", async () => {
    const setup = await choosing(three);
    setup.cool("deployment:a", 3000);
    setup.cool("deployment:b", 1000);
    setup.cool("deployment:c", 2000);
    expect(await setup.chosen()).toBe("b by panic");
    expect(await setup.choose()).toMatchObject({ others: 0 });
    expect(await setup.chosen({ tried: { b: 1 } })).toBe("c by panic");
    expect(await setup.chosen({ tried: { b: 1, c: 1 } })).toBe("a by panic");
    expect(await setup.chosen({ tried: { a: 1, b: 2, c: 2 } })).toBe("a by panic");
    setup.cool(`account:${setup.leg().deployments[1]?.account}`, 9000);
    expect(await setup.chosen()).toBe("c by panic");
  });

  test("of the only one says so, and it is asked", async () => {
    const setup = await choosing([{ id: "a" }]);
    setup.cool("deployment:a", 1000);
    expect(await setup.chosen()).toBe("a by panic");
    setup.advance(1000);
    setup.cool(`account:${setup.leg().deployments[0]?.account}`, 1000);
    expect(await setup.chosen()).toBe("a by panic");
  });

  test("does not keep anybody from what he asks for by its id", async () => {
    const setup = await choosing(three);
    setup.cool("deployment:b", 1000);
    expect(await setup.chosen({ name: "b" })).toBe("b by only");
  });

  test("is told in the trace", async () => {
    const setup = await choosing(three);
    setup.cool("deployment:b", 1500);
    const exchange = setup.exchange();
    await setup.choose({}, exchange);
    expect(exchange.trace.steps).toMatchObject([{ stage: "router", what: "left out", detail: { b: "out of use for another 2 s: 429" } }]);
  });
});

describe("health checks", () => {
  const routed = { health: { ...defaultRouter.health, routing: true } };
  const unhealthy = (...ids: readonly string[]): Pick<ChooserInit, "health"> => ({ health: { isUnhealthy: (id) => ids.includes(id) } });

  test("leave out who failed them, where they are to decide", async () => {
    expect(await range(await choosing(three, routed, unhealthy("a", "c")))).toEqual(["b by only"]);
    expect(await range(await choosing(three, {}, unhealthy("a", "c")))).toHaveLength(3);
  });

  test("are not believed when all failed them", async () => {
    expect(await range(await choosing(three, routed, unhealthy("a", "b", "c")))).toHaveLength(3);
  });
});

describe("limits of a minute", () => {
  const limited = [
    { id: "a", routing: { rpm: 2 } },
    { id: "b", routing: { tpm: 100 } },
  ];
  const enforced = { enforceLimits: true };

  test("are no more than a measure of how to share, where nothing else is said", async () => {
    const setup = await choosing([{ id: "a", routing: { rpm: 2 } }]);
    setup.use("a", 9);
    expect(await setup.chosen()).toBe("a by only");
  });

  test("are hard where they are enforced, whatever the strategy", async () => {
    const setup = await choosing(limited, enforced);
    setup.use("a", 1);
    setup.use("b", 1, 99);
    expect(await setup.choose({ tried: { b: 1 } })).toMatchObject({ target: { deployment: { deploymentId: "a" } }, others: 0 });
    setup.use("a", 1);
    expect(await range(setup)).toEqual(["b by only"]);
    setup.use("b", 1, 1);
    expect(await setup.chosen()).toBe("429 Model rate limit exceeded. RPM limit=2, current usage=2");
    setup.advance(60_000);
    expect(await range(setup, { tried: { b: 1 } })).toEqual(["a by strategy"]);
  });

  test("of tokens are told as such, and when to come back", async () => {
    const setup = await choosing([{ id: "b", routing: { tpm: 100 } }], enforced);
    setup.use("b", 1, 120);
    setup.advance(18_200);
    const choice = await setup.choose();
    expect(choice).toMatchObject({
      type: "none",
      error: {
        status: 429,
        kind: "rate_limit_error",
        message: "Model rate limit exceeded. TPM limit=100, current usage=120",
        headers: { "retry-after": "42" },
      },
    });
  });

  test("are of requests only for pre-call checks", async () => {
    const setup = await choosing(limited, { preCallChecks: true });
    setup.use("a", 2);
    setup.use("b", 1, 500);
    expect(await range(setup)).toEqual(["b by only"]);
  });

  test("leave nobody for a strategy that goes by them", async () => {
    const setup = await choosing([{ id: "a", routing: { rpm: 1 } }], strategy("usage-based-routing-v2"));
    setup.use("a", 1);
    expect(await setup.chosen()).toBe("429 Model rate limit exceeded. RPM limit=1, current usage=1");
  });

  test("do not make anybody be asked who is out of use", async () => {
    const setup = await choosing(limited, enforced);
    setup.use("a", 2);
    setup.cool("deployment:b", 1000);
    expect(await setup.chosen()).toBe("429 Model rate limit exceeded. RPM limit=2, current usage=2");
  });

  test("hold in a panic, too", async () => {
    const setup = await choosing(limited, enforced);
    setup.use("a", 2);
    setup.cool("deployment:a", 500);
    setup.cool("deployment:b", 1000);
    expect(await setup.chosen()).toBe("b by panic");
  });

  test("are not asked about a picture as if it were text", async () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "A".repeat(40_000) } };
    const body = { messages: [{ role: "user", content: [image] }] };
    const by = strategy("usage-based-routing-v2");
    expect(await (await choosing([{ id: "a", routing: { tpm: 5000 } }], by, { countTokens: async () => 1500 })).chosen({ body })).toBe(
      "a by only",
    );
    expect(await (await choosing([{ id: "a", routing: { tpm: 1000 } }], by, { countTokens: async () => 1500 })).chosen({ body })).toMatch(
      /^429/,
    );
    const text = { messages: [{ role: "user", content: "A".repeat(40_000) }] };
    expect(
      await (await choosing([{ id: "a", routing: { tpm: 5000 } }], by, { countTokens: async () => 1500 })).chosen({ body: text }),
    ).toMatch(/^429/);
  });
});

describe("a deployment alone, with nothing to decide,", () => {
  /** Notes which methods are called. */
  function watched(calls: string[]): (store: MemoryRoutingStore) => ChooserInit["store"] {
    return (store) =>
      new Proxy(store, {
        get(target, name: keyof RoutingStore) {
          calls.push(name);
          return target[name];
        },
      });
  }

  test("costs one look at cooldowns, and no promise", async () => {
    const calls: string[] = [];
    const { chooser, exchange, leg } = await choosing([{ id: "a", routing: { rpm: 5 } }], {}, { wrap: watched(calls) });
    const choice = chooser.choose({ exchange: exchange({ session: "s" }), leg: leg(), tried: new Map() });
    expect(choice).toMatchObject({ by: "only", others: 0 });
    expect(calls).toEqual(["cooldowns"]);
  });

  test("costs nothing where it was asked for by id, or passes through", async () => {
    const calls: string[] = [];
    const { chosen } = await choosing([{ id: "a" }], {}, { wrap: watched(calls) });
    expect(await chosen({ name: "a", session: "s" })).toBe("a by only");
    expect(await chosen({ name: "claude-sonnet-4-5" })).toBe("pass-through:anthropic by only");
    expect(calls).toEqual([]);
  });

  test("beside others: no numbers are read for a strategy that does not look at them", async () => {
    const calls: string[] = [];
    const { chosen } = await choosing(three, {}, { wrap: watched(calls) });
    await chosen();
    expect(calls).toEqual(["cooldowns"]);
    await chosen({ session: "s" });
    expect(calls).toEqual(["cooldowns", "cooldowns", "bound"]);
  });
});

test("a store that is elsewhere is waited for, and gives the same choices", async () => {
  const later = async <Value>(value: () => Value): Promise<Awaited<Value>> => {
    await Promise.resolve();
    return await value();
  };
  const wrap = (store: MemoryRoutingStore): ChooserInit["store"] => ({
    read: (ids) => later(() => store.read(ids)),
    cooldowns: (keys) => later(() => store.cooldowns(keys)),
    bound: (session) => later(() => store.bound(session)),
    bind: (session, id, ttlMs) => later(() => store.bind(session, id, ttlMs)),
  });
  const setup = await choosing(three, strategy("least-busy"), { wrap });
  setup.store.begin("a");
  setup.cool("deployment:b", 1000);
  expect(await setup.chosen()).toBe("c by strategy");
  await setup.bind("s", "a");
  expect(await setup.chosen({ session: "s" })).toBe("a by affinity");
});
