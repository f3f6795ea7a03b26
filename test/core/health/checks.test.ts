import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../../../core/attempts/failure.ts";
import type { HealthConfig } from "../../../core/config/router-types.ts";
import type { DeploymentConfig } from "../../../core/config/types.ts";
import { createHealthBook, type HealthBook } from "../../../core/health/book.ts";
import type { CheckResult } from "../../../core/health/check.ts";
import { createHealthChecks, type HealthChecks } from "../../../core/health/checks.ts";
import { createMemoryRoutingStore } from "../../../core/routing/memory-store.ts";
import type { Deployment } from "../../../core/routing/deployment.ts";
import type { Snapshot } from "../../../core/snapshot.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { RoutingStore } from "../../../sdk/routing-store.ts";
import { silent } from "../../helpers/silent.ts";
import { snapshotOf, target } from "./snapshot-of.ts";

const interval = 1000;
/** When chance is fair, the first turn comes so long after the start. */
const first = 50;

interface Asked {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly answer: (result: CheckResult) => void;
}

const healthy: CheckResult = { finding: { state: "healthy" }, failure: undefined };

function unhealthy(status: number, failure: Partial<Failure> = {}): CheckResult {
  const error = new ProxyError("no", { status, kind: "api_error" });
  const whole: Failure = {
    class: "server",
    status,
    retryAfterMs: undefined,
    resetMs: undefined,
    scope: "deployment",
    shouldRetry: undefined,
    told: { type: "error", error },
    error,
    ...failure,
  };
  return { finding: { state: "unhealthy", status, error: "no" }, failure: whole };
}

let snapshot: Snapshot;
let store: RoutingStore;
let book: HealthBook;
let checks: HealthChecks;
let asked: Asked[];
let draining: boolean;

const now = (): number => performance.now();
const deployments = (): readonly Deployment[] => snapshot.routes.entries().map(({ deployment }) => deployment);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  asked = [];
  draining = false;
});
afterEach(() => {
  checks.stop();
  vi.useRealTimers();
});

async function start(configs: readonly DeploymentConfig[], health: Partial<HealthConfig> = {}): Promise<void> {
  snapshot = await snapshotOf(configs, { intervalMs: interval, ...health });
  store = createMemoryRoutingStore({ now, wallClock: now });
  book = createHealthBook({ now, wallClock: now });
  checks = createHealthChecks({
    snapshot: () => snapshot,
    check: ({ deploymentId: id }, signal) => new Promise((resolve) => asked.push({ id, signal, answer: resolve })),
    book,
    store,
    draining: () => draining,
    now,
    random: () => 0.5,
    logger: silent,
  });
  checks.follow();
}

/** Lets so much time pass, and what waits for nothing but its turn have it. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await new Promise((resolve) => void setImmediate(resolve));
}

const ids = (): readonly string[] => asked.map(({ id }) => id);

/** Answers all who are being asked. */
async function answer(result: CheckResult): Promise<void> {
  await pass(0);
  for (const { answer: give } of asked) give(result);
  await pass(0);
}

describe("in the background", () => {
  it("every deployment is asked once an interval, each key of several too", async () => {
    await start([target("a"), target("b", { group: "g" }), target("c", { group: "g" })]);
    await pass(first);
    expect(ids()).toEqual(["a", "b", "c"]);
    await answer(healthy);
    await pass(interval - 1);
    expect(asked).toHaveLength(3);
    await pass(1);
    expect(ids()).toEqual(["a", "b", "c", "a", "b", "c"]);
  });

  it("nobody is asked unless the configuration says so, from the reload on in which it does", async () => {
    await start([target("a")], { background: false });
    await pass(interval * 3);
    expect(asked).toEqual([]);
    snapshot = await snapshotOf([target("a")], { intervalMs: interval });
    checks.follow();
    await pass(first);
    expect(ids()).toEqual(["a"]);
    await answer(healthy);
    snapshot = await snapshotOf([target("a")], { background: false });
    checks.follow();
    await pass(interval * 3);
    expect(asked).toHaveLength(1);
  });

  it("one that is left out is not asked, nor one that answered a request within the interval, is full, or is out by a limit", async () => {
    await start([
      target("left out", { health: { enabled: false } }),
      target("used"),
      target("full", { routing: { maxParallelRequests: 1 } }),
      target("limited"),
      target("failed"),
    ]);
    book.answered("used");
    await store.begin("full");
    await store.cool("deployment:limited", { ms: 10 * interval, reason: "429", status: 429 });
    await store.cool("deployment:failed", { ms: 10 * interval, reason: "500", status: 500 });
    await pass(first);
    expect(ids()).toEqual(["failed"]);
    await answer(healthy);
    await store.end("full", { outcome: "success", tokens: 0, latency: undefined, firstContent: undefined });
    await pass(interval);
    expect(ids()).toEqual(["failed", "used", "full", "failed"]);
  });

  it("no more are asked at a time than configured", async () => {
    await start([target("a"), target("b"), target("c")], { concurrency: 2 });
    await pass(first);
    expect(ids()).toEqual(["a", "b"]);
    asked[0]?.answer(healthy);
    await pass(0);
    expect(ids()).toEqual(["a", "b", "c"]);
  });

  it("nobody is asked while the proxy stops, and what is under way is broken off", async () => {
    await start([target("a"), target("b")], { concurrency: 1 });
    await pass(first);
    draining = true;
    checks.stop();
    expect(asked[0]?.signal.aborted).toBe(true);
    await answer(healthy);
    await pass(interval * 3);
    expect(ids()).toEqual(["a"]);
  });

  it("draining alone keeps everybody from being asked", async () => {
    await start([target("a")]);
    draining = true;
    await pass(interval * 3);
    expect(asked).toEqual([]);
  });
});

describe("whoever asks for it", () => {
  it("has every deployment asked at once, and who is being asked is not asked twice", async () => {
    await start([target("a", { health: { enabled: false } }), target("b")], { background: false });
    const all = deployments();
    const one = checks.checkNow(all);
    const two = checks.checkNow(all);
    await pass(0);
    expect(ids()).toEqual(["a", "b"]);
    await answer(healthy);
    await Promise.all([one, two]);
    expect(book.lastCheck("a")?.finding).toEqual({ state: "healthy" });
    const three = checks.checkNow(all.slice(0, 1));
    await pass(0);
    await answer(unhealthy(500));
    await three;
    expect([ids(), book.lastCheck("a")?.finding.state]).toEqual([["a", "b", "a"], "unhealthy"]);
  });
});

describe("what a check finds", () => {
  const key = "deployment:a";

  it("brings back into use what is out for having failed, but not what is out by a limit", async () => {
    await start([target("a")], { background: false });
    const [deployment] = deployments();
    const account = `account:${deployment?.account}`;
    for (const [status, isBack] of [
      [503, true],
      [undefined, true],
      [401, true],
      [429, false],
      [200, false],
    ] as const) {
      await store.cool(key, { ms: 60_000, reason: "x", status });
      await store.cool(account, { ms: 60_000, reason: "x", status });
      const done = checks.checkNow(deployments());
      await answer(healthy);
      await done;
      const left = await store.cooldowns([key, account]);
      expect([status, left.map((cooldown) => cooldown === undefined)]).toEqual([status, [isBack, isBack]]);
      for (const each of [key, account]) await store.warm(each);
    }
  });

  it("takes out of use what one answer is enough for", async () => {
    await start([target("a"), target("b", { group: "a" })], { background: false });
    const found = async (result: CheckResult): Promise<unknown> => {
      const done = checks.checkNow(deployments().slice(0, 1));
      await answer(result);
      await done;
      const [cooldown] = await store.cooldowns([key]);
      await store.warm(key);
      return cooldown === undefined ? undefined : [cooldown.status, Math.round(cooldown.ms)];
    };
    expect(await found(unhealthy(503))).toBeUndefined();
    expect(await found(unhealthy(400, { class: "bad-request", scope: "none" }))).toBeUndefined();
    expect(await found(unhealthy(404, { class: "not-found" }))).toEqual([404, 5000]);
    expect(await found(unhealthy(429, { class: "rate-limit", retryAfterMs: 30_000 }))).toEqual([429, 30_000]);
  });

  it("keeps requests away while it counts, where health decides about routing", async () => {
    await start([target("a")], { background: false, routing: true, stalenessMs: 2000 });
    const find = async (result: CheckResult): Promise<boolean> => {
      const done = checks.checkNow(deployments());
      await answer(result);
      await done;
      return checks.isUnhealthy("a");
    };
    expect(checks.isUnhealthy("a")).toBe(false);
    expect(await find(unhealthy(503))).toBe(true);
    expect(await find(healthy)).toBe(false);
    expect(await find(unhealthy(400))).toBe(false);
    expect(await find(unhealthy(429))).toBe(true);
    await pass(2000);
    expect(checks.isUnhealthy("a")).toBe(true);
    await pass(1);
    expect(checks.isUnhealthy("a")).toBe(false);
    expect(await find(unhealthy(503))).toBe(true);
    await pass(1);
    book.answered("a");
    expect(checks.isUnhealthy("a")).toBe(false);
    expect(await find(unhealthy(503))).toBe(true);
    snapshot = await snapshotOf([target("a")], { routing: true, ignoreTransient: true });
    expect([checks.isUnhealthy("a"), await find(unhealthy(429)), await find(unhealthy(408))]).toEqual([true, false, false]);
    expect(await find(unhealthy(500))).toBe(true);
    snapshot = await snapshotOf([target("a")], { routing: false });
    expect(checks.isUnhealthy("a")).toBe(false);
  });

  it("is nothing when the check itself is broken", async () => {
    await start([target("a")], { background: false });
    const broken = createHealthChecks({
      snapshot: () => snapshot,
      check: () => Promise.reject(new Error("a defect")),
      book,
      store,
      draining: () => false,
      now,
      random: () => 0,
      logger: silent,
    });
    await broken.checkNow(deployments());
    expect(book.lastCheck("a")).toBeUndefined();
  });
});
