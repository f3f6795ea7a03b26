/** What is known of each deployment's health: its last check, and what became of the last requests that went there. */

import type { Evidence, Finding } from "./finding.ts";

export interface HealthBook {
  /** A request of somebody's was answered to its end. */
  answered(id: string): void;
  /** One failed, by the deployment's fault. */
  failed(id: string, status: number | undefined, error: string): void;
  checked(id: string, finding: Finding): void;
  /** The newest finding that says something, if it is not older than so many ms. */
  newest(id: string, withinMs: number): Evidence | undefined;
  lastCheck(id: string): Evidence | undefined;
  /** When a request was answered last, monotonic ms. */
  answeredAt(id: string): number | undefined;
  /** Forgets all others. */
  keepOnly(ids: ReadonlySet<string>): void;
}

interface Entry {
  check: Evidence | undefined;
  traffic: Evidence | undefined;
  answeredAt: number | undefined;
}

export interface BookClocks {
  /** Monotonic ms. */
  readonly now: () => number;
  /** ms since 1970 */
  readonly wallClock: () => number;
}

const healthy: Finding = { state: "healthy" };

export function createHealthBook({ now, wallClock }: BookClocks): HealthBook {
  const entries = new Map<string, Entry>();
  function entry(id: string): Entry {
    const known = entries.get(id);
    if (known !== undefined) return known;
    const made: Entry = { check: undefined, traffic: undefined, answeredAt: undefined };
    entries.set(id, made);
    return made;
  }
  const evidence = (finding: Finding, by: Evidence["by"]): Evidence => ({ finding, by, at: now(), date: wallClock() });
  return {
    answered(id) {
      const found = entry(id);
      found.traffic = evidence(healthy, "traffic");
      found.answeredAt = found.traffic.at;
    },
    failed(id, status, error) {
      entry(id).traffic = evidence({ state: "unhealthy", status, error }, "traffic");
    },
    checked(id, finding) {
      entry(id).check = evidence(finding, "check");
    },
    newest(id, withinMs) {
      const found = entries.get(id);
      return [found?.check, found?.traffic]
        .filter((each) => each !== undefined && each.finding.state !== "unknown" && now() - each.at <= withinMs)
        .reduce((best, each) => (best === undefined || (each !== undefined && each.at > best.at) ? each : best), undefined);
    },
    lastCheck: (id) => entries.get(id)?.check,
    answeredAt: (id) => entries.get(id)?.answeredAt,
    keepOnly(ids) {
      for (const id of entries.keys()) if (!ids.has(id)) entries.delete(id);
    },
  };
}
