/** How each deployment is, for people and for those who watch: what is known, since when, and what is not known. */

import type { Cooldown, DeploymentState, RoutingStore } from "../../sdk/routing-store.ts";
import type { Tokens } from "../credentials/token-source.ts";
import type { Deployment } from "../routing/deployment.ts";
import type { Snapshot } from "../snapshot.ts";
import type { HealthBook } from "./book.ts";
import type { Evidence, Finding } from "./finding.ts";
import { foundWithoutAsking } from "./reason-not-to-ask.ts";

/** `cooled`: out of use for a while; `unknown`: it was neither asked nor used lately. */
export type DeploymentHealthState = "healthy" | "cooled" | "unhealthy" | "unknown";

/** Never holds a key; texts of upstreams are to be redacted by whoever shows them. */
export interface DeploymentHealthRow {
  readonly id: string;
  /** `model_name` */
  readonly group: string;
  readonly provider: string;
  readonly model: string;
  /** Without query and credentials; empty where nobody is asked. */
  readonly apiBase: string;
  readonly state: DeploymentHealthState;
  /** What is wrong, or why nothing is known; null for one that is healthy. */
  readonly reason: string | null;
  /** Of the failure, where an answer came. */
  readonly status: number | null;
  /** Null while it is in use. `scope` says whether all that is behind its key is out. */
  readonly cooldown: {
    readonly ms: number;
    readonly reason: string;
    readonly status: number | null;
    readonly scope: "deployment" | "account";
  } | null;
  /** Attempts under way. */
  readonly inFlight: number;
  /** Of the current minute. */
  readonly minute: { readonly requests: number; readonly successes: number; readonly failures: number; readonly tokens: number };
  readonly lastCheck: { readonly at: string; readonly state: Finding["state"]; readonly error: string | null } | null;
}

export interface DescribeInit {
  readonly snapshot: Snapshot;
  readonly store: Pick<RoutingStore, "read" | "cooldowns">;
  readonly book: Pick<HealthBook, "newest" | "lastCheck">;
  readonly tokenSources: ReadonlyMap<string, Tokens>;
}

/** In the order of the configuration. */
export async function describeHealth({ snapshot, store, book, tokenSources }: DescribeInit): Promise<readonly DeploymentHealthRow[]> {
  const entries = snapshot.routes.entries();
  const ids = entries.map(({ deployment }) => deployment.deploymentId);
  const states = await store.read(ids);
  const own = await store.cooldowns(ids.map((id) => `deployment:${id}`));
  const accounts = await store.cooldowns(entries.map(({ deployment }) => `account:${deployment.account}`));
  const { stalenessMs } = snapshot.config.router.health;
  return entries.map(({ group, deployment }, index) => {
    const cooldown = longer(own[index], accounts[index]);
    const id = deployment.deploymentId;
    const judged = judge({
      evidence: book.newest(id, stalenessMs),
      cooldown,
      known: foundWithoutAsking(deployment, tokenSources),
      lastCheck: book.lastCheck(id)?.finding,
    });
    return {
      id,
      group,
      provider: deployment.providerName,
      model: deployment.model,
      apiBase: baseOf(deployment),
      ...judged,
      cooldown: cooldown ?? null,
      inFlight: states[index]?.inFlight ?? 0,
      minute: minuteOf(states[index]),
      lastCheck: checkOf(book.lastCheck(id)),
    };
  });
}

interface Known {
  readonly evidence: Evidence | undefined;
  readonly cooldown: NonNullable<DeploymentHealthRow["cooldown"]> | undefined;
  /** What needs no asking. */
  readonly known: Finding | undefined;
  readonly lastCheck: Finding | undefined;
}

function judge({ evidence, cooldown, known, lastCheck }: Known): Pick<DeploymentHealthRow, "state" | "reason" | "status"> {
  if (known?.state === "unhealthy") return unhealthy(known);
  if (cooldown !== undefined) return { state: "cooled", reason: cooldown.reason, status: cooldown.status };
  if (evidence?.finding.state === "unhealthy") return unhealthy(evidence.finding);
  if (evidence !== undefined || known?.state === "healthy") return { state: "healthy", reason: null, status: null };
  const reason = known?.reason ?? (lastCheck?.state === "unknown" ? lastCheck.reason : "it was neither asked nor used lately");
  return { state: "unknown", reason, status: null };
}

function unhealthy({
  error,
  status,
}: Extract<Finding, { readonly state: "unhealthy" }>): Pick<DeploymentHealthRow, "state" | "reason" | "status"> {
  return { state: "unhealthy", reason: error, status: status ?? null };
}

function longer(own: Cooldown | undefined, account: Cooldown | undefined): Known["cooldown"] {
  const isOwn = own !== undefined && own.ms >= (account?.ms ?? 0);
  const counts = isOwn ? own : account;
  if (counts === undefined) return undefined;
  return { ms: Math.ceil(counts.ms), reason: counts.reason, status: counts.status ?? null, scope: isOwn ? "deployment" : "account" };
}

function minuteOf(state: DeploymentState | undefined): DeploymentHealthRow["minute"] {
  return {
    requests: state?.requests ?? 0,
    successes: state?.successes ?? 0,
    failures: state?.failures ?? 0,
    tokens: state?.tokens ?? 0,
  };
}

function checkOf(check: Evidence | undefined): DeploymentHealthRow["lastCheck"] {
  if (check === undefined) return null;
  const { finding } = check;
  const error = finding.state === "unhealthy" ? finding.error : finding.state === "unknown" ? finding.reason : null;
  return { at: new Date(check.date).toISOString(), state: finding.state, error };
}

/** Some put a key into the address. */
function baseOf({ apiBase, mockResponse, problem }: Deployment): string {
  const url = mockResponse === undefined && problem === undefined ? URL.parse(apiBase) : null;
  return url === null ? "" : `${url.origin}${url.pathname}`.replace(/\/$/, "");
}
