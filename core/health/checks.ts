/** When deployments are asked how they are: now and then where the configuration says so, and whenever somebody wants to know. */

import type { Logger } from "../../sdk/log.ts";
import type { Cooldown, RoutingStore } from "../../sdk/routing-store.ts";
import { cooldownOrders } from "../attempts/cooldown.ts";
import type { Failure } from "../attempts/failure.ts";
import type { HealthConfig } from "../config/router-types.ts";
import type { Deployment } from "../routing/deployment.ts";
import type { Snapshot } from "../snapshot.ts";
import type { HealthBook } from "./book.ts";
import type { Check, CheckResult } from "./check.ts";
import { createSchedule } from "./schedule.ts";

export interface HealthChecksInit {
  snapshot(): Snapshot;
  readonly check: Check;
  readonly book: HealthBook;
  readonly store: Pick<RoutingStore, "read" | "cooldowns" | "warm" | "cool">;
  draining(): boolean;
  /** Monotonic ms. */
  readonly now: () => number;
  /** 0 to 1 */
  readonly random: () => number;
  readonly logger: Logger;
}

export interface HealthChecks {
  /** Begins, or goes on with what the configuration in force says. To be called at the start and after each reload. */
  follow(): void;
  /** Asks these at once, as many at a time as configured. Whoever is being asked already is not asked twice. */
  checkNow(deployments: readonly Deployment[]): Promise<void>;
  /** Whether it failed its last check, which still counts, and has answered nothing since. False unless health decides about routing. */
  isUnhealthy(id: string): boolean;
  /** Breaks off what is under way; nothing begins any more. */
  stop(): void;
}

/** Checks are too few to count. */
const noCounts = { state: { successes: 0, failures: 0 }, fails: 0, failsInARow: 0 };

/** That the check itself was not to the deployment's liking says nothing of other requests. */
const ofTheCheck: ReadonlySet<number | undefined> = new Set([400, 413, 422]);

/** Statuses that pass by themselves. */
const transient: ReadonlySet<number | undefined> = new Set([408, 429]);

/** Out because something was used up; else because it failed, or was not let in. */
function isLimit({ status }: Cooldown): boolean {
  return status !== undefined && status < 500 && ![401, 403, 404, 408].includes(status);
}

export function createHealthChecks(init: HealthChecksInit): HealthChecks {
  const { book, store, now, logger } = init;
  const running = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  const over = new AbortController();
  let busy = 0;
  const settings = (): HealthConfig => init.snapshot().config.router.health;
  const all = (): readonly Deployment[] =>
    init
      .snapshot()
      .routes.entries()
      .map(({ deployment }) => deployment);
  const schedule = createSchedule({ now, random: init.random });

  /** A check's place among those that go on at a time. */
  async function place(): Promise<void> {
    if (busy >= settings().concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    busy++;
  }
  function leave(): void {
    busy--;
    waiting.shift()?.();
  }

  async function ask(deployment: Deployment): Promise<void> {
    await place();
    try {
      if (over.signal.aborted) return;
      await enter(deployment, await init.check(deployment, over.signal));
    } catch (error) {
      logger.error({ error, deployment: deployment.deploymentId }, "a health check failed for a reason within the proxy");
    } finally {
      leave();
    }
  }

  async function enter(deployment: Deployment, { finding, failure }: CheckResult): Promise<void> {
    const { deploymentId: id } = deployment;
    const before = book.lastCheck(id)?.finding.state;
    book.checked(id, finding);
    if (finding.state === "healthy") await warm(deployment);
    if (failure !== undefined) await cool(deployment, failure);
    if (finding.state === "unhealthy" && before !== "unhealthy") {
      logger.warn({ deployment: id, status: finding.status, error: finding.error }, "a deployment failed its health check");
    } else if (finding.state === "healthy" && before === "unhealthy") {
      logger.info({ deployment: id }, "a deployment is healthy again");
    }
  }

  /** What is out because of a limit stays so: that one small request passed does not say that the limit is gone. */
  async function warm({ deploymentId, account }: Deployment): Promise<void> {
    const keys = [`deployment:${deploymentId}`, `account:${account}`];
    for (const [index, cooldown] of (await store.cooldowns(keys)).entries()) {
      const key = keys[index];
      if (cooldown !== undefined && !isLimit(cooldown) && key !== undefined) await store.warm(key);
    }
  }

  /** Out of use is what one answer is enough for: a key that is not accepted, a plan that is used up, a limit. */
  async function cool(deployment: Deployment, failure: Failure): Promise<void> {
    const { routes, config } = init.snapshot();
    const entries = routes.entries();
    const home = entries.find((each) => each.deployment.deploymentId === deployment.deploymentId)?.group;
    const groupSize = entries.filter(({ group }) => group === home).length;
    const facts = { config: config.router.cooldown, groupSize, isWildcard: deployment.model.includes("*"), ...noCounts };
    for (const { key, cooldown } of cooldownOrders(failure, { deployment, ...facts })) await store.cool(key, cooldown);
  }

  function checkOnce(deployment: Deployment): Promise<void> {
    const { deploymentId: id } = deployment;
    const known = running.get(id);
    if (known !== undefined) return known;
    const begun = ask(deployment).finally(() => running.delete(id));
    running.set(id, begun);
    return begun;
  }

  /** One that answers anyhow, is full, or must be left alone for a while costs nothing. */
  async function isWorthAsking({ deploymentId, account, routing }: Deployment, intervalMs: number): Promise<boolean> {
    const answeredAt = book.answeredAt(deploymentId);
    if (answeredAt !== undefined && now() - answeredAt < intervalMs) return false;
    const [state] = await store.read([deploymentId]);
    if (state !== undefined && state.inFlight >= (routing.maxParallelRequests ?? Infinity)) return false;
    const cooldowns = await store.cooldowns([`deployment:${deploymentId}`, `account:${account}`]);
    return cooldowns.every((cooldown) => cooldown === undefined || !isLimit(cooldown));
  }

  async function checkDue(deployment: Deployment): Promise<void> {
    if (await isWorthAsking(deployment, settings().intervalMs)) await checkOnce(deployment);
  }

  function tick(): void {
    const { background, intervalMs } = settings();
    const deployments = background && !over.signal.aborted ? all() : [];
    const asked = new Map(deployments.filter(({ routing }) => routing.health.enabled).map((each) => [each.deploymentId, each]));
    for (const id of schedule.due([...asked.keys()], intervalMs)) {
      const deployment = asked.get(id);
      if (deployment !== undefined && !init.draining())
        void checkDue(deployment).catch((error: unknown) => logger.error({ error }, "a health check could not begin"));
    }
    schedule.wake(tick);
  }

  return {
    follow() {
      if (over.signal.aborted) return;
      book.keepOnly(new Set(all().map(({ deploymentId }) => deploymentId)));
      tick();
    },
    async checkNow(deployments) {
      await Promise.all(deployments.map(checkOnce));
    },
    isUnhealthy(id) {
      const { routing, stalenessMs, ignoreTransient } = settings();
      const check = routing ? book.lastCheck(id) : undefined;
      if (check?.finding.state !== "unhealthy" || now() - check.at > stalenessMs) return false;
      if ((book.answeredAt(id) ?? -Infinity) > check.at) return false;
      const { status } = check.finding;
      return !ofTheCheck.has(status) && !(ignoreTransient && transient.has(status));
    },
    stop() {
      over.abort(new Error("the proxy is stopping"));
      schedule.stop();
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
