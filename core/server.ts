/** Starts and stops the whole proxy: configuration, listener, hot reload, drain. */

import { randomBytes } from "node:crypto";
import type { Server as NetServer } from "node:net";
import { performance } from "node:perf_hooks";

import type { Plugin } from "../sdk/plugin.ts";
import type { Logger } from "../sdk/log.ts";
import { createApp } from "./app.ts";
import { loadConfig } from "./config/load.ts";
import type { Config, Fault, LoadedConfig } from "./config/types.ts";
import { FollowingWatcher } from "./config/following-watcher.ts";
import { createServices } from "./create-services.ts";
import { explainTrace } from "./explain-trace.ts";
import { models } from "./models/look-up.ts";
import { ListenError, isLoopback, listen } from "./listen.ts";
import { readOrCreateLocalToken } from "./local-token.ts";
import { type LateLogger, createLateLogger } from "./log/late-logger.ts";
import { type Registry, createRegistry } from "./registry.ts";
import { buildSnapshot } from "./snapshot.ts";
import { type SnapshotSource, Snapshots } from "./snapshots.ts";
import { takesLocalToken } from "./stages/auth.ts";
import { type Shutdown, shutDown } from "./shutdown.ts";
import { openStores } from "./stores/open-stores.ts";
import type { OpenedStores } from "./stores/opened.ts";
import { type Recovery, createRecovery } from "./stores/recovery.ts";
import type { StreamTiming } from "./stream/timing.ts";
import type { FoundTrace, WorkerStatus } from "./workers/messages.ts";
import { type WorkerPool, startWorkers } from "./workers/pool.ts";
import { type UserCodeRuntime, createUserCodeRuntime } from "./user-code-runtime.ts";

export interface StartOptions {
  /** Folder of `config.yaml` and `ccproxy.yaml`. */
  readonly configDir: string;
  /** For `os.environ/NAME` in the configuration. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Overrides the configuration. */
  readonly host?: string;
  /** Overrides the configuration; 0 picks a free port. */
  readonly port?: number;
  /** `terminal`: human lines on stderr and JSON lines in the file; `file`: the file only; `none`: nothing. */
  readonly logTo: "terminal" | "file" | "none";
  readonly plugins: readonly Plugin[];
  /** Watch the configuration files and reload on change. */
  readonly watch: boolean;
  /** Waits other than the usual ones, for tests. */
  readonly timing?: Partial<StreamTiming>;
  /** Where this is not the first process of its server. */
  readonly worker?: WorkerPlace;
  /** How long new connections are served after a stop has begun, ms. Default: 5000. */
  readonly acceptMs?: number;
}

/** What a further process of a server shares with the first one. */
export interface WorkerPlace {
  readonly socket: NetServer;
  /** By which the server is known. */
  readonly instance: string;
  readonly controlToken: string;
  /** Of the first process. */
  readonly pid: number;
  readonly workers: () => readonly WorkerStatus[];
  /** Takes a line of the log. */
  readonly log: (line: string) => void;
  /** Of another process. @param requestId or `last` */
  readonly findTrace: (requestId: string) => Promise<FoundTrace | undefined>;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly instance: string;
  /** Presented as `x-ccproxy-token` it opens `/ccproxy/*` whatever the configured auth. Kept in the state file, 0600. */
  readonly controlToken: string;
  /** Whether callers had to present the token of this installation when the server started. */
  readonly takesLocalToken: boolean;
  /** The grace of `stop` as configured at the start, ms. */
  readonly graceMs: number;
  /** Findings that did not stop the start. */
  readonly faults: readonly Fault[];
  /** How many processes the configuration wants, this one included. */
  readonly workers: number;
  /** Starts the others. @param entry program of a worker @throws StartError */
  startWorkers(entry: string): Promise<void>;
  /** Of this process. @param requestId or `last` */
  findTrace(requestId: string): FoundTrace | undefined;
  /** Reads the configuration files again; resolves when they are in force or refused. */
  reload(): Promise<void>;
  /**
   * Says that it is not ready any more, serves new connections for a short while, lets open exchanges finish for up to
   * `graceMs` (default: configured), then ends the rest with the protocol's own error. Calling it again ends at once.
   */
  stop(graceMs?: number): Promise<void>;
}

/** A start that could not happen: the message is for the terminal, complete with what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly faults: readonly Fault[];
  constructor(message: string, faults: readonly Fault[] = [], options?: ErrorOptions) {
    super(message, options);
    this.faults = faults;
  }
}

/** Until a balancer that asks for readiness now and then sends nothing here any more. */
const defaultAcceptMs = 5000;

/** What hooks get for `onComplete` of requests that a stop has ended, be its grace over or not. */
const lastWordsMs = 500;

/** @throws StartError when the configuration has errors, the port is taken, or the bind is refused. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const registry = createRegistry(options.plugins);
  // User code is loaded before the log can be opened, for the configuration says how.
  const logger = createLateLogger();
  const userCode = createUserCodeRuntime({ registry, environment: options.environment, logger });
  try {
    return await startWith({ options, registry, logger, userCode });
  } catch (error) {
    await userCode.close();
    throw error;
  }
}

interface Parts {
  readonly options: StartOptions;
  readonly registry: Registry;
  readonly logger: LateLogger;
  readonly userCode: UserCodeRuntime;
}

async function startWith({ options, registry, logger, userCode }: Parts): Promise<RunningServer> {
  const load = (): ReturnType<typeof loadConfig> => loadConfig({ directory: options.configDir, environment: options.environment });
  const build: SnapshotSource["build"] = (loaded, id, now) => buildSnapshot(loaded, { registry, ...userCode }, id, now);
  const first = await load();
  const { snapshot, faults, files } = await build(first, 1, new Date());
  if (snapshot === undefined) throw new StartError("the configuration has errors", faults);
  const host = options.host ?? snapshot.config.server.host;
  const port = options.port ?? snapshot.config.server.port;
  const openBind = describeOpenBind(host, snapshot.config);
  if (openBind !== undefined) throw new StartError(openBind);
  const snapshots = new Snapshots(snapshot, files, { load: async () => withOpenBind(await load(), host), build });

  let url = "";
  let draining = false;
  const instance = randomBytes(8).toString("hex");
  const controlToken = options.worker?.controlToken ?? randomBytes(32).toString("base64url");
  let pool: WorkerPool | undefined;
  const localToken = await readOrCreateLocalToken(options.configDir);
  const { stores, recovery } = await openLedger({ options, registry, logger, config: snapshot.config, instance });
  const created = createServices({
    localToken,
    options,
    registry,
    snapshots,
    userCode,
    instance,
    stores,
    controlToken,
    url: () => url,
    draining: () => draining,
    workers: () => pool?.status() ?? options.worker?.workers() ?? [],
    findElsewhere: async (requestId) => options.worker?.findTrace(requestId) ?? pool?.findTrace(requestId),
  });
  const { services, log } = created;
  logger.attach(services.logger);
  // Prices are wanted when the first answer is complete, not before; loading them takes some forty milliseconds.
  void models.load();
  const handle = createApp(services).callback();
  const listener = await listen((request, response) => void handle(request, response), {
    host,
    port,
    socket: options.worker?.socket,
    onError: (error) => services.logger.error({ error }, "a connection could not be accepted"),
  }).catch(async (error: unknown) => {
    await recovery.close();
    await created.close();
    await stores.close();
    throw error instanceof ListenError ? new StartError(error.message, [], { cause: error }) : error;
  });
  url = listener.url;
  const reload = async (): Promise<void> => {
    const readAt = Date.now();
    await snapshots.reload(services.logger);
    log.setLevel(snapshots.current.config.log.level);
    services.health.follow();
    if ((await watcher?.follow(snapshots.files, readAt)) === true) await reload();
  };
  const watcher = options.watch ? new FollowingWatcher(() => void reload()) : undefined;
  await watcher?.follow([options.configDir, ...first.files, ...files], Date.now());
  services.logger.info({ url, instance, snapshot: snapshot.id, faults: faults.length }, "listening");
  services.health.follow();

  function findTrace(asked: string): FoundTrace | undefined {
    const requestId = asked === "last" ? (services.traces.last ?? "") : asked;
    const trace = services.traces.get(requestId);
    return trace === undefined ? undefined : { requestId, at: services.traces.endedAt(requestId), explained: explainTrace(trace) };
  }

  let shutdown: Shutdown | undefined;
  let stopped: Promise<void> | undefined;
  async function stop(graceMs: number): Promise<void> {
    draining = true;
    watcher?.close();
    services.health.stop();
    services.logger.info({ openExchanges: services.open.size, graceMs }, "stopping");
    shutdown = shutDown({
      ...listener,
      open: services.open,
      graceMs,
      acceptMs: options.acceptMs ?? defaultAcceptMs,
      // Nobody balances over what only this machine reaches, and somebody waits at the terminal.
      untilIdle: isLoopback(host),
    });
    const startedAt = services.now();
    const others = pool?.stop(graceMs);
    await shutdown.closed;
    await others;
    await created.settled(Math.max(lastWordsMs, graceMs - (services.now() - startedAt)));
    services.logger.info({}, "stopped");
    await recovery.close();
    await created.close();
    await stores.close();
    await log.close();
  }
  return {
    host,
    port: listener.port,
    url,
    instance,
    controlToken,
    takesLocalToken: takesLocalToken(snapshot.config),
    graceMs: snapshot.config.server.graceMs,
    faults,
    workers: snapshot.config.server.workers,
    async startWorkers(entry) {
      const count = snapshot.config.server.workers - 1;
      const start = { configDir: options.configDir, host, port: listener.port, instance, controlToken, pid: process.pid };
      pool = startWorkers({
        count,
        entry,
        start,
        server: listener.server,
        logger: services.logger,
        appendLog: (line) => log.append(line),
        findTrace,
      });
      await pool.ready.catch(async (error: unknown) => {
        await stop(0);
        throw new StartError(error instanceof Error ? error.message : String(error), [], { cause: error });
      });
    },
    findTrace,
    reload,
    stop(graceMs) {
      if (stopped === undefined) stopped = stop(graceMs ?? snapshots.current.config.server.graceMs);
      else {
        shutdown?.hurry();
        void pool?.stop(0);
      }
      return stopped;
    },
  };
}

interface Ledgers {
  readonly options: StartOptions;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly config: Config;
  readonly instance: string;
}

/** What is kept, and what an earlier process that was killed has left in it. @throws StartError when it cannot be opened */
async function openLedger({ options, registry, logger, config, instance }: Ledgers): Promise<{ stores: OpenedStores; recovery: Recovery }> {
  const wallClock = (): number => Date.now();
  try {
    const stores = await openStores({
      engines: registry.engines,
      config: config.stores,
      directory: options.configDir,
      workers: config.server.workers,
      logger,
      now: () => performance.now(),
      wallClock,
    });
    const recovery = createRecovery({ ...stores, instance, logger, wallClock, keptMs: () => config.stores.spendMs });
    await recovery.round();
    recovery.start();
    return { stores, recovery };
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error), [], { cause: error });
  }
}

/** Without a key everyone who reaches the port could spend the user's money. Undefined when that cannot be. */
function describeOpenBind(host: string, config: Config): string | undefined {
  if (isLoopback(host) || config.masterKey !== undefined) return undefined;
  return `${host} is reachable from other machines, and no master key is set. Set general_settings.master_key in config.yaml, or bind 127.0.0.1.`;
}

/** A reload must not take away the key that a start would have asked for. */
function withOpenBind(loaded: LoadedConfig, host: string): LoadedConfig {
  const { config, faults } = loaded;
  const message = config === undefined ? undefined : describeOpenBind(host, config);
  if (config === undefined || message === undefined) return loaded;
  const fault: Fault = { severity: "error", message, file: config.files[0] ?? config.directory, path: "general_settings.master_key" };
  return { ...loaded, config: undefined, faults: [fault, ...faults] };
}
