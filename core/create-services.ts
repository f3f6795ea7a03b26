/** Puts together what the stages share. */

import { homedir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";

import { CacheFigures } from "./cache/figures.ts";
import { Flights } from "./cache/flights.ts";
import { createCapabilities } from "./capabilities/create-capabilities.ts";
import { TokenSources } from "./credentials/token-sources.ts";
import { type Log, createLogger } from "./log/logger.ts";
import { createRedactor } from "./log/redact.ts";
import { RetryBudgets } from "./attempts/retry-budget.ts";
import { createBackground } from "./background.ts";
import type { Exchange } from "./exchange.ts";
import { createHealth } from "./health/create-health.ts";
import { accountOf } from "./keys/account.ts";
import { createKeyRing } from "./keys/key-ring.ts";
import { createBudgetAlerts } from "./limits/alerts.ts";
import { createLimiter } from "./limits/hold.ts";
import { createFailureLog } from "./phases/failure-log.ts";
import { createChooser } from "./routing/chooser.ts";
import { Slots } from "./routing/slots.ts";
import { ProjectRules } from "./project-rules.ts";
import type { Registry } from "./registry.ts";
import type { StartOptions } from "./server.ts";
import type { Services } from "./services.ts";
import type { Snapshots } from "./snapshots.ts";
import { takesLocalToken } from "./stages/auth.ts";
import { createNestedCall } from "./stages/call-model.ts";
import type { StatusReport } from "./status.ts";
import { createAbandoned } from "./stream/abandoned.ts";
import type { OpenedStores } from "./stores/opened.ts";
import { streamTiming } from "./stream/timing.ts";
import { createTokenService } from "./tokens/token-service.ts";
import { TraceRing } from "./trace.ts";
import type { FoundTrace, WorkerStatus } from "./workers/messages.ts";
import { Pools } from "./upstream/pools.ts";
import type { UserCodeRuntime } from "./user-code-runtime.ts";
import { describeUpstreams } from "./upstream-status.ts";
import { describeUnits } from "./user-code-status.ts";
import { version } from "./version.ts";

export interface ServicesInit {
  readonly options: StartOptions;
  readonly registry: Registry;
  readonly snapshots: Snapshots;
  readonly userCode: UserCodeRuntime;
  readonly instance: string;
  readonly stores: OpenedStores;
  readonly controlToken: string;
  /** The token callers must hold when the configuration asks for one. */
  readonly localToken: string;
  url(): string;
  draining(): boolean;
  /** Further processes of this server. */
  workers(): readonly WorkerStatus[];
  /** A trace that another process of this server may have. */
  findElsewhere(requestId: string): Promise<FoundTrace | undefined>;
}

export interface CreatedServices {
  /** Resolves when nothing goes on behind exchanges that have ended, or after the given time. */
  settled(graceMs: number): Promise<void>;
  readonly services: Services;
  readonly log: Log;
  close(): Promise<void>;
}

/** How many recent traces are kept for `explain` and the demo. */
const traceCapacity = 200;

export function createServices(init: ServicesInit): CreatedServices {
  const { options, registry, snapshots } = init;
  const secrets = new Secrets(init);
  const log = createLog(options, snapshots, secrets);
  const { logger } = log;
  const pools = new Pools();
  const tokens = createTokenService();
  const tokenSources = new TokenSources({ home: homedir(), onToken: (token) => secrets.add(token) });
  const projects = new ProjectRules(registry, logger);
  const open: Services["open"] = new Set();
  const background = createBackground((error) => logger.error({ error }, "what was to follow a request failed"));
  const startedAt = new Date();
  let last: StatusReport["last"] = null;

  const redact = (text: string): string => createRedactor(secrets.all())(text);
  const capabilities = createCapabilities({
    directory: options.configDir,
    logger,
    callModel: createNestedCall(() => services),
    redact,
    ownPort: () => (init.url() === "" ? undefined : Number(new URL(init.url()).port)),
  });

  const abandoned = createAbandoned({ inBackground: (work) => background.add(work) });
  const now = (): number => performance.now();
  const wallClock = (): number => Date.now();
  const health = createHealth({
    snapshot: () => snapshots.current,
    services: () => services,
    draining: () => init.draining(),
    now,
    wallClock,
    random: Math.random,
    logger,
  });
  const store = init.stores.routing;
  const countTokens = (exchange: Exchange): Promise<number> => tokens.counterFor(exchange.request).count("all");
  const chooser = createChooser({ store, random: Math.random, wallClock, health, countTokens });

  const alerts = createBudgetAlerts({
    limits: init.stores.limits,
    logger,
    wallClock,
    urls: () => snapshots.current.config.stores.alertUrls,
    inBackground: (work) => background.add(work),
  });
  const limiter = createLimiter(
    { ...init.stores, wallClock, logger, alerts },
    { whenAway: () => snapshots.current.config.stores.whenRedisIsAway },
  );

  const services: Services = {
    registry,
    stores: init.stores,
    keyRing: createKeyRing({ keys: init.stores.keys, now }),
    limiter,
    flights: new Flights(),
    keyIdOf: ({ caller: { holder } }) => (holder === undefined ? undefined : accountOf(holder.key)),
    cacheFigures: new CacheFigures(),
    instance: init.instance,
    logger,
    redact,
    capabilities,
    health,
    store,
    chooser,
    slots: new Slots(),
    abandoned,
    budgets: new RetryBudgets(),
    random: Math.random,
    failures: createFailureLog(logger, init.userCode.mapError, now),
    wallClock,
    inBackground: (work) => background.add(work),
    traces: new TraceRing(traceCapacity),
    findElsewhere: (requestId) => init.findElsewhere(requestId),
    snapshot: () => snapshots.current,
    open,
    draining: () => init.draining(),
    pools,
    tokenSources: (config) => tokenSources.of(config),
    counterFor: (body) => tokens.counterFor(body),
    countTokens,
    projectRules: (hash, snapshot) => projects.get(hash, snapshot),
    localToken: () => init.localToken,
    controlToken: init.controlToken,
    routed: (route) => (last = route),
    timing: { ...streamTiming, ...options.timing },
    now,
    async status() {
      const { current, rejected } = snapshots;
      return {
        name: "ccproxy",
        version,
        instance: options.worker?.instance ?? init.instance,
        workers: init.workers(),
        pid: options.worker?.pid ?? process.pid,
        answeredBy: process.pid,
        url: init.url(),
        startedAt: startedAt.toISOString(),
        uptimeMs: Date.now() - startedAt.getTime(),
        draining: init.draining(),
        openExchanges: open.size,
        config: {
          directory: current.config.directory,
          files: current.config.files,
          snapshot: current.id,
          loadedAt: current.loadedAt.toISOString(),
          rejected: rejected ?? null,
          faults: current.faults,
          takesLocalToken: takesLocalToken(current.config),
          graceMs: current.config.server.graceMs,
        },
        rules: current.rules.map(({ label, reference, summary }) => ({ label, rule: reference, summary })),
        userCode: { units: describeUnits(current.userProgram), ignored: current.ignored, sandbox: init.userCode.status() },
        routes: current.routes.describe(),
        deployments: await health.rows(),
        stores: await init.stores.status(),
        cache: init.stores.cache === undefined ? null : services.cacheFigures.describe(),
        upstreams: describeUpstreams(pools.figures(), services.budgets.describe()),
        last,
      };
    },
  };
  async function close(): Promise<void> {
    health.stop();
    limiter.close();
    abandoned.stop();
    await Promise.all([pools.close(), tokens.close(), capabilities.close(), init.userCode.close()]);
  }
  return { services, log, settled: (graceMs) => background.idle(graceMs), close };
}

function createLog(options: StartOptions, snapshots: Snapshots, secrets: Secrets): Log {
  const { level, maxBytes, keep } = snapshots.current.config.log;
  const file = { path: path.join(options.configDir, "ccproxy.log"), maxBytes, keep };
  return createLogger({
    level,
    ...(options.logTo === "none" ? {} : { file }),
    terminal: options.logTo === "terminal",
    sink: options.worker?.log,
    secrets: () => secrets.all(),
  });
}

/** Every value that must never be shown, those of earlier configurations too: their exchanges may still be open. */
class Secrets {
  readonly #init: ServicesInit;
  readonly #values: Set<string>;
  #all: readonly string[];
  #seen: unknown;
  #granted = 0;

  constructor(init: ServicesInit) {
    this.#init = init;
    this.#values = new Set([init.controlToken, init.localToken]);
    this.#all = [...this.#values];
  }

  add(value: string): void {
    this.#values.add(value);
    this.#all = [...this.#values];
  }

  /** The same array while nothing changed, so that matchers made from it can be kept. */
  all(): readonly string[] {
    const { config, routes } = this.#init.snapshots.current;
    const { secrets: granted } = this.#init.userCode;
    if (this.#seen !== config || this.#granted !== granted.size) {
      this.#seen = config;
      this.#granted = granted.size;
      for (const secret of [...config.secrets, ...routes.secrets(), ...granted]) this.#values.add(secret);
      this.#all = [...this.#values];
    }
    return this.#all;
  }
}
