/** The JSON of `GET /ccproxy/status`: the contract between a running server and `ccproxy status`. */

import type { CacheReport } from "./cache/figures.ts";
import type { DeploymentHealthRow } from "./health/describe.ts";
import type { Fault } from "./config/types.ts";
import type { Phase } from "./sandbox/protocol.ts";
import type { EngineStatus } from "./stores/opened.ts";
import type { WorkerStatus } from "./workers/messages.ts";
import type { SandboxStatus } from "./sandbox/sandbox.ts";
import type { IgnoredFile, UserUnit } from "./user-code/types.ts";

export interface StatusReport {
  readonly name: "ccproxy";
  readonly version: string;
  /** Random per process; equal to the one in the state file when it is the same server. */
  readonly instance: string;
  /** Of the first process. */
  readonly pid: number;
  /** Of the process that says so. */
  readonly answeredBy: number;
  /** Further processes. */
  readonly workers: readonly WorkerStatus[];
  readonly url: string;
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly draining: boolean;
  readonly openExchanges: number;
  readonly config: {
    readonly directory: string;
    /** Files in force. */
    readonly files: readonly string[];
    /** Counts up with each configuration taken into use, from 1. */
    readonly snapshot: number;
    readonly loadedAt: string;
    /** Set while the files on disk are broken and an earlier configuration stays in force. */
    readonly rejected: { readonly at: string; readonly faults: readonly Fault[] } | null;
    readonly faults: readonly Fault[];
    /** Whether callers must present the per-install token. */
    readonly takesLocalToken: boolean;
    /** How long open exchanges go on after the first stop signal, ms. */
    readonly graceMs: number;
  };
  readonly rules: readonly { readonly label: string; readonly rule: string; readonly summary: string }[];
  readonly userCode: {
    readonly units: readonly UserUnitRow[];
    readonly ignored: readonly IgnoredFile[];
    /** Null while there is nothing to run. */
    readonly sandbox: SandboxStatus | null;
  };
  readonly routes: readonly RouteRow[];
  /** How each deployment is, in the order of the configuration. */
  readonly deployments: readonly DeploymentHealthRow[];
  /** What keeps the ledger, the keys, and the like. */
  readonly stores: readonly EngineStatus[];
  /** Null where nothing is cached. */
  readonly cache: CacheReport | null;
  /** Hosts that are connected, or have failed of late. */
  readonly upstreams: readonly UpstreamRow[];
  /** The last routed request; null before traffic. */
  readonly last: {
    readonly requestId: string;
    readonly label: string;
    readonly modelAsked: string;
    readonly modelServed: string;
    readonly deployment: string;
    readonly status: number;
    readonly at: string;
  } | null;
}

/** One rule, hook or callback of the user's, as it is in force. */
export interface UserUnitRow {
  readonly kind: "rule" | "hook" | "callback";
  readonly file: string;
  /** As configured; the file's name where no entry names it. */
  readonly reference: string;
  readonly origin: UserUnit["origin"];
  /** Of a rule. */
  readonly label: string | null;
  readonly phases: readonly Phase[];
  readonly summary: string | null;
  /** As they are written in the configuration. */
  readonly grants: readonly string[];
  readonly required: boolean;
  readonly onError: "skip" | "deny";
  /** Why it is out of use until its file changes; null while it is not. */
  readonly quarantined: string | null;
}

/** One host that deployments are behind. */
export interface UpstreamRow {
  /** e.g. `https://api.anthropic.com` */
  readonly origin: string;
  /** The proxy it is reached through; null for none. */
  readonly proxy: string | null;
  readonly connections: number;
  /** Requests under way, and those that wait for a connection. */
  readonly inFlight: number;
  readonly queued: number;
  /** Of those under way: made again after a failure. */
  readonly retries: number;
  /** From 0 to 10: each failure takes one, ten successes give one; at 5 or less nothing is tried again. */
  readonly retryTokens: number;
}

/** One line of the resolved table: label or public model name → model → deployments. */
export interface RouteRow {
  readonly name: string;
  /** Whether a rule can produce this name. */
  readonly isLabel: boolean;
  readonly model: string;
  readonly deployments: readonly {
    readonly id: string;
    readonly model: string;
    readonly provider: string;
    readonly apiBase: string;
    /** Where the credential comes from; never the credential. */
    readonly credential: "key" | "caller" | "token source" | "signed" | "mock" | "none";
    /** Which of several keys of one entry, e.g. `2 of 3`. */
    readonly key?: string;
  }[];
}
