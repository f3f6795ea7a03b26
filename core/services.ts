/** What the stages share for the life of the process. */

import type { Logger } from "../sdk/log.ts";
import type { TokenCounter } from "../sdk/rule.ts";
import type { RequestBody } from "../sdk/body.ts";
import type { CacheFigures } from "./cache/figures.ts";
import type { Flights } from "./cache/flights.ts";
import type { Exchange } from "./exchange.ts";
import type { Registry } from "./registry.ts";
import type { Health } from "./health/create-health.ts";
import type { KeyRing } from "./keys/key-ring.ts";
import type { Limiter } from "./limits/hold.ts";
import type { LoadedRule, Snapshot } from "./snapshot.ts";
import type { StatusReport } from "./status.ts";
import type { StreamTiming } from "./stream/timing.ts";
import type { OpenedStores } from "./stores/opened.ts";
import type { TraceRing } from "./trace.ts";
import type { ErrorServices } from "./phases/error-phase.ts";
import type { Landed } from "./stages/cache.ts";
import type { FoundTrace } from "./workers/messages.ts";
import type { PolicyServices } from "./stages/policy.ts";
import type { CallServices } from "./attempts/run.ts";

interface CacheParts {
  readonly flights: Flights<Landed>;
  readonly cacheFigures: CacheFigures;
  keyIdOf(exchange: Exchange): string | undefined;
}

/** Something under way that a stop may have to end. */
export interface Abortable {
  abort(reason: Error): void;
}

export interface Services extends CallServices, PolicyServices, ErrorServices, CacheParts {
  readonly registry: Registry;
  readonly stores: OpenedStores;
  readonly keyRing: KeyRing;
  readonly limiter: Limiter;
  /** Of this process: random. */
  readonly instance: string;
  readonly logger: Logger;
  /** How the deployments are, and whether to ask them. */
  readonly health: Health;
  readonly traces: TraceRing;
  /** A trace that another process of this server may have. @param requestId or `last` */
  findElsewhere(requestId: string): Promise<FoundTrace | undefined>;
  /** The configuration in force. */
  snapshot(): Snapshot;
  /** Exchanges that have not ended. */
  readonly open: Set<Abortable>;
  /** Whether the proxy is stopping. */
  draining(): boolean;
  counterFor(body: RequestBody): TokenCounter;
  /** Work that goes on when an exchange has ended; a stop waits for it, within its grace. */
  inBackground(work: Promise<unknown>): void;
  /** The rules of a trusted project file, by its content hash; undefined when it is not trusted. */
  projectRules(hash: string, snapshot: Snapshot): Promise<readonly LoadedRule[] | undefined>;
  /** The token callers must hold when the configuration asks for one. */
  readonly localToken: () => string;
  /** Opens the proxy's own endpoints. */
  readonly controlToken: string;
  status(): Promise<StatusReport>;
  /** Remembered for `status`. */
  routed(last: NonNullable<StatusReport["last"]>): void;
  readonly timing: StreamTiming;
  /** Monotonic ms. */
  readonly now: () => number;
}
