import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Failure, type FailureClass } from "../../../core/attempts/failure.ts";
import {
  type Because,
  type Retries,
  type StepQuestion,
  nextStep,
  retriesAllowed,
  shouldTellNotToRetry,
  spendsBudget,
} from "../../../core/attempts/next-step.ts";
import { type RetryConfig, defaultRouter } from "../../../core/config/router-types.ts";
import { failureOf, requestFaults, statuses, troubles } from "./failures.ts";

const usual: Retries = { count: 2, isExplicit: false, isForClass: false };
const written: Retries = { count: 2, isExplicit: true, isForClass: false };
const forClass: Retries = { count: 2, isExplicit: true, isForClass: true };

function step(type: FailureClass, overrides: Partial<StepQuestion> = {}, failure: Partial<Failure> = {}): string {
  const found = nextStep({
    failure: failureOf(type, failure),
    attempts: 1,
    retries: usual,
    others: 0,
    times: 1,
    isPanic: false,
    budget: { mayRetry: true },
    hasFallbacks: false,
    clientRetries: 0,
    minDelayMs: 0,
    random: () => 0.5,
    ...overrides,
  });
  if (found.type === "switch") return "switch";
  return found.type === "retry" ? `retry in ${found.delayMs}` : `${found.type}: ${found.because}`;
}

const because = (reason: Because): string => `give-up: ${reason}`;
const noBetter = because("no other deployment could do better");
const classes = Object.keys(statuses) as readonly FailureClass[];
const deploymentFaults = classes.filter((type) => !requestFaults.some((fault) => fault === type));

describe("with another deployment left", () => {
  it.each(deploymentFaults)("it is asked at once after %s", (type) => {
    expect(step(type, { others: 1 })).toBe("switch");
    expect(step(type, { others: 1, attempts: 2 })).toBe("switch");
  });

  it.each(requestFaults)("it is not asked after %s: any would say so", (type) => {
    expect(step(type, { others: 1 })).toBe(because("the request is at fault"));
    expect(step(type, { others: 1, hasFallbacks: true })).toBe("leave: the request is at fault");
  });

  it.each(requestFaults)("it is asked even after %s where a policy says so", (type) => {
    expect(step(type, { others: 1, retries: forClass })).toBe("switch");
  });

  it.each(deploymentFaults)("it is not asked after %s when no retries are left", (type) => {
    expect(step(type, { others: 1, attempts: 3 })).toBe(because("no retries are left"));
    expect(step(type, { others: 1, retries: { ...written, count: 0 } })).toBe(because("no retries are left"));
  });

  it("the client's own retries, an upstream that says no, and a long wait change nothing", () => {
    expect(step("overloaded", { others: 1, clientRetries: 3 })).toBe("switch");
    expect(step("overloaded", { others: 1 }, { shouldRetry: false })).toBe("switch");
    expect(step("rate-limit", { others: 1 }, { retryAfterMs: 3_600_000 })).toBe("switch");
  });

  it("it is not asked where it is of the same upstream, which has too many retries already", () => {
    expect(step("server", { others: 1, budget: { mayRetry: false } })).toBe(because("too many retries are under way"));
    expect(step("server", { others: 1, budget: { mayRetry: false }, hasFallbacks: true })).toBe("leave: too many retries are under way");
  });

  it.each(["rate-limit", "exhausted", "authentication", "permission", "not-found"] as const)(
    "%s is about a key or a model: it spends no budget",
    (type) => {
      expect(spendsBudget(type)).toBe(false);
      expect(step(type, { others: 1, budget: { mayRetry: false } })).toBe("switch");
    },
  );
});

describe("with no other deployment left", () => {
  it.each<readonly [FailureClass, string]>([
    ["overloaded", "retry in 500"],
    ["server", "retry in 50"],
    ["timeout", "retry in 50"],
    ["connection", "retry in 50"],
    ["broken", "retry in 50"],
    ["rate-limit", noBetter],
    ["exhausted", noBetter],
    ["authentication", noBetter],
    ["permission", noBetter],
    ["not-found", noBetter],
    ["bad-request", because("the request is at fault")],
    ["context-window", because("the request is at fault")],
    ["content-policy", because("the request is at fault")],
    ["too-large", because("the request is at fault")],
  ])("after %s: %s", (type, expected) => {
    expect(step(type)).toBe(expected);
  });

  it("N10: a limit goes to the client as it is, unless retries were written down", () => {
    expect(step("rate-limit", {}, { retryAfterMs: 30_000 })).toBe(noBetter);
    expect(step("rate-limit", { retries: written }, { retryAfterMs: 30_000 })).toBe("retry in 30000");
    expect(step("rate-limit", { retries: written })).toBe("retry in 500");
    expect(step("rate-limit", { retries: written }, { retryAfterMs: 61_000 })).toBe(because("the upstream asks to wait too long"));
  });

  it("what is waited for grows with how often it was asked", () => {
    expect(step("overloaded", { attempts: 2, times: 2 })).toBe("retry in 1000");
    expect(step("overloaded", { attempts: 3, times: 3 })).toBe(because("no retries are left"));
  });

  it.each(troubles)("the client that asks again by itself waits by itself: %s", (type) => {
    expect(step(type, { clientRetries: 1 })).toBe(because("the client asks again by itself"));
    expect(step(type, { clientRetries: 1, hasFallbacks: true })).toBe("leave: the client asks again by itself");
  });

  it("the upstream's word counts: x-should-retry", () => {
    expect(step("server", {}, { shouldRetry: false })).toBe(because("the upstream says not to ask again"));
    expect(step("server", { retries: forClass }, { shouldRetry: false })).toBe(because("the upstream says not to ask again"));
    expect(step("server", {}, { shouldRetry: true })).toBe("retry in 50");
    expect(step("exhausted", { retries: written }, { shouldRetry: true })).toBe("retry in 500");
    expect(step("exhausted", {}, { shouldRetry: true })).toBe(noBetter);
    expect(step("bad-request", { retries: written }, { shouldRetry: true })).toBe(because("the request is at fault"));
  });

  it("a budget that is spent holds back", () => {
    expect(step("server", { budget: { mayRetry: false } })).toBe(because("too many retries are under way"));
  });

  it("fallbacks go before a group that is all out of use", () => {
    expect(step("server", { isPanic: true })).toBe("retry in 50");
    expect(step("server", { isPanic: true, hasFallbacks: true })).toBe("leave: all of the group are out of use");
    expect(step("rate-limit", { isPanic: true, hasFallbacks: true, others: 1 })).toBe("leave: all of the group are out of use");
    expect(step("rate-limit", { isPanic: true, others: 1 })).toBe("switch");
    expect(step("server", { hasFallbacks: true })).toBe("retry in 50");
  });

  it.each(["bad-request", "authentication", "not-found", "rate-limit", "exhausted"] as const)(
    "a policy for the class has it asked again after %s",
    (type) => {
      expect(step(type, { retries: forClass })).toMatch(/^retry in/);
      expect(step(type, { retries: forClass, attempts: 3 })).toBe(because("no retries are left"));
      expect(step(type, { retries: { ...forClass, count: 0 } })).toBe(because("no retries are left"));
    },
  );
});

describe("whatever happens", () => {
  const questions = fc.record({
    type: fc.constantFrom(...classes),
    attempts: fc.integer({ min: 1, max: 20 }),
    retries: fc.record({ count: fc.nat(10), isExplicit: fc.boolean(), isForClass: fc.boolean() }),
    others: fc.nat(3),
    isPanic: fc.boolean(),
    mayRetry: fc.boolean(),
    hasFallbacks: fc.boolean(),
    clientRetries: fc.nat(2),
    retryAfterMs: fc.option(fc.nat(1_000_000), { nil: undefined }),
    shouldRetry: fc.option(fc.boolean(), { nil: undefined }),
  });

  it("never more attempts are made than allowed, none is slept for before another is asked, and none is given up that has fallbacks", () => {
    fc.assert(
      fc.property(questions, ({ type, mayRetry, retryAfterMs, shouldRetry, ...question }) => {
        const found = step(type, { ...question, budget: { mayRetry } }, { retryAfterMs, shouldRetry });
        const goesOn = found === "switch" || found.startsWith("retry");
        if (goesOn) expect(question.attempts).toBeLessThanOrEqual(question.retries.count);
        if (goesOn && spendsBudget(type)) expect(mayRetry).toBe(true);
        if (question.others > 0) expect(found).not.toMatch(/^retry/);
        if (found === "switch") expect(question.others).toBeGreaterThan(0);
        if (found.startsWith("retry"))
          expect(shouldRetry === false || question.clientRetries > 0 ? question.retries.isExplicit && shouldRetry === true : true).toBe(
            true,
          );
        if (!goesOn) expect(found.startsWith("leave")).toBe(question.hasFallbacks);
      }),
    );
  });
});

describe("LiteLLM §3.5: retries", () => {
  const config: RetryConfig = defaultRouter.retries;
  const allowed = (overrides: Partial<Parameters<typeof retriesAllowed>[0]> = {}, type: FailureClass = "server"): Retries =>
    retriesAllowed({
      failure: failureOf(type),
      group: "claude",
      config,
      options: { retries: undefined },
      ofDeployment: undefined,
      isPassThrough: false,
      ...overrides,
    });

  it.each<readonly [string, Retries, Retries]>([
    ["two, where nobody says", allowed(), usual],
    ["as the router says", allowed({ config: { ...config, count: 5 } }), { ...written, count: 5 }],
    ["as the deployment says, before the router", allowed({ config: { ...config, count: 5 }, ofDeployment: 1 }), { ...written, count: 1 }],
    [
      "as the request says, before both",
      allowed({ config: { ...config, count: 5 }, ofDeployment: 1, options: { retries: 3 } }),
      { ...written, count: 3 },
    ],
    [
      "none, where the request says so",
      allowed({ options: { retries: 0 }, config: { ...config, policy: { InternalServerError: 4 } } }),
      { ...written, count: 0 },
    ],
    [
      "by class, before all",
      allowed({ options: { retries: 3 }, config: { ...config, policy: { InternalServerError: 4 } } }),
      { ...forClass, count: 4 },
    ],
    ["none by class", allowed({ config: { ...config, count: 5, policy: { InternalServerError: 0 } } }), { ...forClass, count: 0 }],
    ["not by another class", allowed({ config: { ...config, policy: { RateLimitError: 4 } } }), usual],
    [
      "by class for the group",
      allowed({
        config: { ...config, policy: { InternalServerError: 4 }, groupPolicies: new Map([["claude", { InternalServerError: 1 }]]) },
      }),
      { ...forClass, count: 1 },
    ],
    [
      "as the router says, where the group's own policy leaves the class out",
      allowed({ config: { ...config, count: 3, policy: { InternalServerError: 4 }, groupPolicies: new Map([["claude", {}]]) } }),
      { ...written, count: 3 },
    ],
    ["not by another group's", allowed({ config: { ...config, groupPolicies: new Map([["gpt", { InternalServerError: 9 }]]) } }), usual],
    [
      "as said, for a failure without a class",
      allowed({ config: { ...config, count: 3, policy: { InternalServerError: 4 } } }, "permission"),
      { ...written, count: 3 },
    ],
    [
      "none, where it passes through",
      allowed({ isPassThrough: true, config: { ...config, count: 5, policy: { InternalServerError: 4 } } }),
      { count: 0, isExplicit: true, isForClass: false },
    ],
    ["as the request says, where it passes through", allowed({ isPassThrough: true, options: { retries: 1 } }), { ...written, count: 1 }],
  ])("%s", (_, found, expected) => {
    expect(found).toEqual(expected);
  });
});

describe("the client is told not to ask again", () => {
  const tell = (type: FailureClass, retries: number, budgetSpent = false, isPassThrough = false): boolean =>
    shouldTellNotToRetry({ failure: failureOf(type), retries, budgetSpent, isPassThrough });

  it.each(["overloaded", "server", "timeout", "connection", "broken", "rate-limit"] as const)(
    "when it was tried again in vain: %s",
    (type) => {
      expect(tell(type, 1)).toBe(true);
      expect(tell(type, 0)).toBe(false);
    },
  );

  it.each([408, 409, 429, 500, 599])("after %i, which it would try again", (status) => {
    expect(shouldTellNotToRetry({ failure: failureOf("server", { status }), retries: 1, budgetSpent: false, isPassThrough: false })).toBe(
      true,
    );
  });

  it("when a retry was not made because too many are under way", () => {
    expect(tell("server", 0, true)).toBe(true);
  });

  it.each(["bad-request", "authentication", "permission", "not-found", "too-large"] as const)(
    "not of what it does not try again by itself: %s",
    (type) => {
      expect(tell(type, 2, true)).toBe(false);
    },
  );

  it("not of what passes through", () => {
    expect(tell("server", 2, true, true)).toBe(false);
  });
});
