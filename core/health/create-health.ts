/** Everything about the health of deployments, put together. */

import type { Deployment } from "../routing/deployment.ts";
import { type HealthBook, createHealthBook } from "./book.ts";
import { type CheckServices, createCheck } from "./check.ts";
import { type HealthChecks, type HealthChecksInit, createHealthChecks } from "./checks.ts";
import { type DeploymentHealthRow, describeHealth } from "./describe.ts";

export interface Health extends Pick<HealthBook, "answered" | "failed">, Omit<HealthChecks, "checkNow"> {
  /** How each deployment is, as far as it is known. */
  rows(): Promise<readonly DeploymentHealthRow[]>;
  /** Asks these at once and waits until they have answered. */
  checkNow(ids: readonly string[]): Promise<void>;
}

export interface HealthInit extends Omit<HealthChecksInit, "check" | "book" | "store"> {
  /** Read at each check: they hold what is made of this. */
  readonly services: () => CheckServices & { readonly store: HealthChecksInit["store"] };
  /** ms since 1970 */
  readonly wallClock: () => number;
}

export function createHealth({ services, ...init }: HealthInit): Health {
  const book = createHealthBook(init);
  const store: HealthChecksInit["store"] = {
    read: (ids) => services().store.read(ids),
    cooldowns: (keys) => services().store.cooldowns(keys),
    warm: (key) => services().store.warm(key),
    cool: (key, cooldown) => services().store.cool(key, cooldown),
  };
  const checks = createHealthChecks({ ...init, book, store, check: createCheck(services) });
  const deploymentsOf = (ids: readonly string[]): readonly Deployment[] =>
    init
      .snapshot()
      .routes.entries()
      .map(({ deployment }) => deployment)
      .filter(({ deploymentId }) => ids.includes(deploymentId));
  return {
    ...checks,
    answered: (id) => book.answered(id),
    failed: (id, status, error) => book.failed(id, status, error),
    checkNow: (ids) => checks.checkNow(deploymentsOf(ids)),
    rows: () => {
      const snapshot = init.snapshot();
      return describeHealth({ snapshot, store, book, tokenSources: services().tokenSources(snapshot.config) });
    },
  };
}
