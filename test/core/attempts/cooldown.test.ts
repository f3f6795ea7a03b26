import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type CoolOrder,
  type CooldownFacts,
  cooldownOrders,
  exhaustionOrders,
  failWindowMs,
  grownMs,
  outcomeOf,
} from "../../../core/attempts/cooldown.ts";
import type { Failure, FailureClass } from "../../../core/attempts/failure.ts";
import { type CooldownConfig, defaultRouter, defaultRouting } from "../../../core/config/router-types.ts";
import { type Deployment, createDeployment, createPassThrough } from "../../../core/routing/deployment.ts";
import { createAnthropicPlugin } from "../../../plugins/anthropic/index.ts";
import { deploymentConfig } from "../../helpers/config.ts";
import { failureOf, requestFaults, statuses, troubles } from "./failures.ts";

const providers = createAnthropicPlugin().setup().providers ?? [];

function deploymentOf(overrides: Partial<Parameters<typeof deploymentConfig>[0]> = {}): Deployment {
  const config = deploymentConfig({ group: "claude", model: "anthropic/claude-x", id: "d1", apiKey: "sk-ant-1", ...overrides });
  return createDeployment(config, { providers, variables: () => undefined });
}

const deployment = deploymentOf();
const quiet: CooldownFacts = {
  deployment,
  config: defaultRouter.cooldown,
  groupSize: 2,
  isWildcard: false,
  state: { successes: 10, failures: 1 },
  fails: 1,
  failsInARow: 1,
};
const configured = (config: Partial<CooldownConfig>): Pick<CooldownFacts, "config"> => ({
  config: { ...defaultRouter.cooldown, ...config },
});
const orders = (type: FailureClass, facts: Partial<CooldownFacts> = {}, failure: Partial<Failure> = {}): readonly CoolOrder[] =>
  cooldownOrders(failureOf(type, failure), { ...quiet, ...facts });
const keys = (found: readonly CoolOrder[]): readonly string[] => found.map(({ key }) => key);
const ms = (found: readonly CoolOrder[]): number | undefined => found[0]?.cooldown.ms;

const account = `account:${deployment.account}`;

describe("LiteLLM §3.6: a deployment is taken out of use", () => {
  it.each<readonly [string, readonly CoolOrder[], readonly string[]]>([
    ["at once by 429, where there are others", orders("rate-limit"), ["deployment:d1"]],
    ["not by 429, where there are none", orders("rate-limit", { groupSize: 1 }), []],
    ["by 404, even where there are none", orders("not-found", { groupSize: 1 }), ["deployment:d1"]],
    ["by more than half of 5 requests failing", orders("server", { state: { successes: 2, failures: 3 } }), ["deployment:d1"]],
    ["not by half of them", orders("server", { state: { successes: 3, failures: 3 } }), []],
    ["not by more than half of 4", orders("server", { state: { successes: 1, failures: 3 }, failsInARow: 2 }), []],
    [
      "not by any share, where there are no others",
      orders("server", { groupSize: 1, state: { successes: 0, failures: 999 }, failsInARow: 999 }),
      [],
    ],
    [
      "by 1000 of 1000, even where there are none",
      orders("server", { groupSize: 1, state: { successes: 0, failures: 1000 } }),
      ["deployment:d1"],
    ],
    ["not by 1000 of 1001, where there are none", orders("server", { groupSize: 1, state: { successes: 1, failures: 1000 } }), []],
    ["never, where cooldowns are switched off", orders("not-found", configured({ enabled: false })), []],
    ["never, where a cooldown takes no time", orders("not-found", configured({ ms: 0 })), []],
    ["never, of a wildcard", orders("not-found", { isWildcard: true }), []],
    ["never by 403", orders("permission", { state: { successes: 0, failures: 1000 }, failsInARow: 1000 }), []],
  ])("%s", (_, found, expected) => {
    expect(keys(found)).toEqual(expected);
  });

  it("together with all that is behind its key by 401, even where there are none", () => {
    expect(keys(orders("authentication", { groupSize: 1 }))).toEqual([account]);
  });

  it("never, where its own cooldown takes no time", () => {
    const off = deploymentOf({ routing: { ...defaultRouting, cooldownMs: 0 } });
    expect(orders("not-found", { deployment: off })).toEqual([]);
    expect(orders("authentication", { deployment: off }, { retryAfterMs: 9000 })).toEqual([]);
  });

  it("never, where the request passes through", () => {
    const [provider] = providers;
    if (provider === undefined) throw new Error("no provider");
    const passing = createPassThrough("claude-x", provider, defaultRouter.timeouts);
    expect(orders("authentication", { deployment: passing })).toEqual([]);
    expect(orders("exhausted", { deployment: passing })).toEqual([]);
  });

  describe("with allowed_fails", () => {
    it.each<readonly [number, number, boolean]>([
      [2, 2, false],
      [2, 3, true],
      [0, 1, true],
    ])("of %i by failure %i: %s", (allowedFails, fails, expected) => {
      for (const type of ["server", "rate-limit", "authentication", "not-found"] as const) {
        expect(orders(type, { ...configured({ allowedFails }), fails, groupSize: 1 })).toHaveLength(expected ? 1 : 0);
      }
    });

    it("whatever the share, or how many there were in a row", () => {
      const facts = { ...configured({ allowedFails: 5 }), state: { successes: 0, failures: 1000 }, failsInARow: 1000, fails: 5 };
      expect(orders("server", facts)).toEqual([]);
    });

    it("by the class of the failure, where a policy names it", () => {
      const both = configured({ allowedFails: 9, policy: { RateLimitError: 1, InternalServerError: 4 } });
      expect(orders("rate-limit", { ...both, fails: 2 })).toHaveLength(1);
      expect(orders("server", { ...both, fails: 4 })).toHaveLength(0);
      expect(orders("server", { ...both, fails: 5 })).toHaveLength(1);
      expect(orders("timeout", { ...both, fails: 9 })).toHaveLength(0);
      expect(orders("timeout", { ...both, fails: 10 })).toHaveLength(1);
    });

    it("of three for the classes that a policy leaves out", () => {
      const only = configured({ policy: { RateLimitError: 1 } });
      expect(orders("server", { ...only, fails: 3 })).toHaveLength(0);
      expect(orders("server", { ...only, fails: 4 })).toHaveLength(1);
    });
  });
});

describe("besides, a deployment is taken out of use", () => {
  it.each(troubles)("by 3 failures in a row, where there are others: %s", (type) => {
    expect(orders(type, { failsInARow: 2 })).toEqual([]);
    expect(orders(type, { failsInARow: 3 })).toHaveLength(1);
    expect(orders(type, { failsInARow: 3, groupSize: 1 })).toEqual([]);
  });

  it("by a plan that is used up, even where there are no others", () => {
    expect(keys(orders("exhausted", { groupSize: 1 }))).toEqual([account]);
    expect(keys(orders("exhausted", { groupSize: 1 }, { scope: "deployment" }))).toEqual(["deployment:d1"]);
  });

  it("by what the account has used up, even of a wildcard", () => {
    expect(keys(orders("exhausted", { isWildcard: true }))).toEqual([account]);
    expect(orders("exhausted", { isWildcard: true }, { scope: "deployment" })).toEqual([]);
  });

  it.each(requestFaults)("never by a fault of the request: %s", (type) => {
    const facts = { ...configured({ allowedFails: 0 }), state: { successes: 0, failures: 1000 }, fails: 1000, failsInARow: 1000 };
    expect(orders(type, facts)).toEqual([]);
    expect(orders(type, facts, { scope: "deployment" })).toEqual([]);
    expect(outcomeOf(failureOf(type))).toBe("none");
  });

  it("never by what nobody is to blame for, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<FailureClass>("authentication", "not-found", "rate-limit", "exhausted", "server", "connection"),
        fc.record({ successes: fc.nat(2000), failures: fc.nat(2000) }),
        fc.nat(2000),
        fc.nat(3),
        (type, state, fails, groupSize) => {
          const failure = failureOf(type, { scope: "none" });
          expect(cooldownOrders(failure, { ...quiet, state, fails, failsInARow: fails, groupSize })).toEqual([]);
          expect(outcomeOf(failure)).toBe("none");
        },
      ),
    );
  });

  it("of those that sign, or bring their credential in a header, alone: one name stands for all of them", () => {
    const byHeader = deploymentOf({ apiKey: undefined, extraHeaders: { authorization: "Bearer x" } });
    expect(keys(orders("authentication", { deployment: byHeader }))).toEqual(["deployment:d1"]);
    const unknown = deploymentOf({ apiKey: undefined });
    expect(keys(orders("authentication", { deployment: unknown }))).toEqual([`account:${unknown.account}`]);
  });
});

describe("how long", () => {
  it("is what the deployment says, before all", () => {
    const own = deploymentOf({ routing: { ...defaultRouting, cooldownMs: 90_000 } });
    expect(ms(orders("rate-limit", { deployment: own }, { retryAfterMs: 7000 }))).toBe(90_000);
    expect(ms(orders("exhausted", { deployment: own }, { resetMs: 7000 }))).toBe(90_000);
    expect(orders("not-found", { deployment: own })[0]?.grows).toBe(false);
  });

  it("is what the upstream asks for, before what the router says", () => {
    expect(ms(orders("rate-limit", {}, { retryAfterMs: 7000, resetMs: 60_000 }))).toBe(7000);
    expect(ms(orders("rate-limit", {}, { resetMs: 60_000 }))).toBe(60_000);
    expect(ms(orders("rate-limit"))).toBe(5000);
    expect(ms(orders("rate-limit", configured({ ms: 8000 })))).toBe(8000);
  });

  it("is to the last end of what is used up: CLIProxyAPI#4874", () => {
    expect(ms(orders("exhausted", {}, { retryAfterMs: 7000, resetMs: 60_000 }))).toBe(60_000);
    expect(ms(orders("exhausted", {}, { retryAfterMs: 70_000, resetMs: 60_000 }))).toBe(70_000);
    expect(ms(orders("exhausted", {}, { retryAfterMs: 70_000 }))).toBe(70_000);
    expect(ms(orders("exhausted"))).toBe(5000);
  });

  it("is by the scope of the failure, whatever says how long: CLIProxyAPI#5920", () => {
    const found = orders("exhausted", {}, { scope: "deployment", retryAfterMs: 97_200_000 });
    expect(found).toMatchObject([{ key: "deployment:d1", cooldown: { ms: 97_200_000 } }]);
  });

  it.each(troubles)("grows where we choose it and the upstream is in trouble: %s", (type) => {
    expect(orders(type, { failsInARow: 3 })[0]?.grows).toBe(true);
    expect(orders(type, { failsInARow: 3 }, { retryAfterMs: 1000 })[0]?.grows).toBe(false);
  });

  it.each(["rate-limit", "exhausted", "authentication", "not-found"] as const)("does not grow after %s", (type) => {
    expect(orders(type)[0]?.grows).toBe(false);
  });
});

describe("what is told of it", () => {
  it.each<readonly [string, readonly CoolOrder[], string, number | undefined]>([
    ["a status and a kind", orders("rate-limit"), "429 rate-limit", 429],
    ["how many in a row", orders("server", { failsInARow: 3 }), "3 failures in a row; the last: 500 server", 500],
    [
      "which share",
      orders("overloaded", { state: { successes: 1, failures: 4 } }),
      "80 % of 5 requests of this minute failed; the last: 529 overloaded",
      529,
    ],
    [
      "how many were allowed",
      orders("broken", { ...configured({ allowedFails: 1 }), fails: 2 }),
      "2 failures, 1 allowed; the last: 502 broken",
      502,
    ],
    ["that no answer came", orders("connection", { failsInARow: 3 }), "3 failures in a row; the last: connection", undefined],
    ["that none came in time", orders("timeout", { failsInARow: 3 }), "3 failures in a row; the last: timeout", undefined],
  ])("%s", (_, found, reason, status) => {
    expect(found).toMatchObject([{ cooldown: { reason } }]);
    expect(found[0]?.cooldown.status).toBe(status);
  });

  it("is a status wherever an answer came", () => {
    for (const type of Object.keys(statuses)) {
      const [order] = orders(type as FailureClass, { failsInARow: 3 });
      if (order !== undefined && type !== "connection" && type !== "timeout")
        expect(order.cooldown.status).toBe(statuses[type as FailureClass]);
    }
  });
});

describe("F5: a success with a plan that is used up", () => {
  const limits = { retryAfterMs: undefined, resetMs: 3_600_000, scope: "account", exhausted: true } as const;

  it("takes the account out of use until the plan is there again", () => {
    expect(exhaustionOrders(limits, quiet)).toEqual([
      { key: account, cooldown: { ms: 3_600_000, reason: "the plan is used up", status: 200 }, grows: false },
    ]);
  });

  it("takes out the deployment where it is a model's", () => {
    expect(keys(exhaustionOrders({ ...limits, scope: "deployment" }, quiet))).toEqual(["deployment:d1"]);
    expect(exhaustionOrders({ ...limits, scope: "deployment" }, { ...quiet, isWildcard: true })).toEqual([]);
  });

  it("takes nothing out where cooldowns are off, or a deployment has none", () => {
    expect(exhaustionOrders(limits, { ...quiet, ...configured({ enabled: false }) })).toEqual([]);
    expect(exhaustionOrders(limits, { ...quiet, deployment: deploymentOf({ routing: { ...defaultRouting, cooldownMs: 0 } }) })).toEqual([]);
  });

  it("takes the router's time where nobody says how long", () => {
    expect(ms(exhaustionOrders({ ...limits, resetMs: undefined }, quiet))).toBe(5000);
  });
});

describe("a cooldown that grows", () => {
  it("is as many times as long as it happened, up to five minutes", () => {
    expect([1, 2, 3, 60, 61, 1000].map((times) => grownMs(5000, times, 0.5))).toEqual([5000, 10_000, 15_000, 300_000, 300_000, 300_000]);
  });

  it("is never cut where it was longer from the start", () => {
    expect(grownMs(900_000, 3, 0.5)).toBe(900_000);
  });

  it("varies by a tenth", () => {
    expect(grownMs(10_000, 1, 0)).toBe(9000);
    expect(grownMs(10_000, 1, 0.999_999)).toBe(12_000 - 1000);
  });

  it("counts failures for as long as a cooldown takes", () => {
    expect(failWindowMs({ ...defaultRouter.cooldown, ms: 60_000 })).toBe(60_000);
    expect(failWindowMs({ ...defaultRouter.cooldown, ms: 0 })).toBe(1000);
  });
});
