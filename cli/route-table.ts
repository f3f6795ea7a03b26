/** The resolved table for people: label or model name → model → where it is served. */

import type { DeploymentHealthRow } from "../core/health/describe.ts";
import type { RouteRow } from "../core/status.ts";
import { duration, table, type Paint } from "./display.ts";

const credentials: Readonly<Record<RouteRow["deployments"][number]["credential"], string>> = {
  key: "own key",
  caller: "caller's login or key",
  "token source": "token source",
  signed: "signed here",
  mock: "mock reply",
  none: "no key",
};

/**
 * One line for each deployment; the name stands on the first one of its group.
 * @param health of a server that runs: what is wrong is told
 */
export function routeTable(routes: readonly RouteRow[], paint: Paint, health: readonly DeploymentHealthRow[] = []): string {
  if (routes.length === 0) return "  none of its own: model names go to the vendor that knows them\n";
  const byId = new Map(health.map((row) => [row.id, row]));
  const rows = routes.flatMap(({ name, isLabel, deployments }) =>
    deployments.map((deployment, index) => [
      index === 0 ? paint(isLabel ? "cyan" : "bold", name) : "",
      index === 0 && isLabel ? paint("dim", "label") : "",
      `→ ${deployment.model}`,
      paint("dim", [host(deployment.apiBase), credential(deployment)].filter((part) => part !== "").join(", ")) +
        trouble(byId.get(deployment.id), paint),
    ]),
  );
  return table(rows, "  ");
}

function trouble(health: DeploymentHealthRow | undefined, paint: Paint): string {
  if (health?.cooldown != null) {
    const { ms, reason } = health.cooldown;
    return `  ${paint("yellow", `out of use for another ${duration(ms)}: ${reason}`)}`;
  }
  return health?.state === "unhealthy" ? `  ${paint("red", `unhealthy: ${health.reason ?? "its last check failed"}`)}` : "";
}

function credential({ credential: kind, key }: RouteRow["deployments"][number]): string {
  return key === undefined ? credentials[kind] : `${credentials[kind]} ${key}`;
}

function host(apiBase: string): string {
  return URL.canParse(apiBase) ? new URL(apiBase).host : apiBase;
}
