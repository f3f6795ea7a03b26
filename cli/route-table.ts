/** The resolved table for people: label or model name → model → where it is served. */

import type { RouteRow } from "../core/status.ts";
import { table, type Paint } from "./display.ts";

const credentials: Readonly<Record<RouteRow["deployments"][number]["credential"], string>> = {
  key: "own key",
  caller: "caller's login or key",
  "token source": "token source",
  signed: "signed here",
  mock: "mock reply",
  none: "no key",
};

/** One line for each deployment; the name stands on the first one of its group. */
export function routeTable(routes: readonly RouteRow[], paint: Paint): string {
  if (routes.length === 0) return "  none of its own: model names go to the vendor that knows them\n";
  const rows = routes.flatMap(({ name, isLabel, deployments }) =>
    deployments.map((deployment, index) => [
      index === 0 ? paint(isLabel ? "cyan" : "bold", name) : "",
      index === 0 && isLabel ? paint("dim", "label") : "",
      `→ ${deployment.model}`,
      paint("dim", [host(deployment.apiBase), credential(deployment)].filter((part) => part !== "").join(", ")),
    ]),
  );
  return table(rows, "  ");
}

function credential({ credential: kind, key }: RouteRow["deployments"][number]): string {
  return key === undefined ? credentials[kind] : `${credentials[kind]} ${key}`;
}

function host(apiBase: string): string {
  return URL.canParse(apiBase) ? new URL(apiBase).host : apiBase;
}
