/** Opens what the configuration names: one file where nothing is named, servers where they are. */

import path from "node:path";

import type { CacheStore } from "../../sdk/cache.ts";
import type { EngineOpeners, EngineOptions, OpenedEngines } from "../../sdk/engines.ts";
import type { LedgerStore } from "../../sdk/ledger.ts";
import type { Logger } from "../../sdk/log.ts";
import type { LimitStore } from "../../sdk/limits.ts";
import type { Outbox } from "../../sdk/outbox.ts";
import type { PresenceStore } from "../../sdk/presence.ts";
import type { RoutingStore } from "../../sdk/routing-store.ts";
import type { Engine } from "../../sdk/stores.ts";
import type { RedisConfig, StoresConfig } from "../config/store-types.ts";
import { createMemoryRoutingStore } from "../routing/memory-store.ts";
import { guardLimits } from "./guarded-limits.ts";
import { guardRouting } from "./guarded-routing.ts";
import type { EngineStatus, OpenedStores } from "./opened.ts";
import { createOutboxedLedger } from "./outboxed-ledger.ts";

export interface OpenStoresOptions {
  readonly engines: Partial<EngineOpeners>;
  readonly config: StoresConfig;
  /** Of the file. */
  readonly directory: string;
  /** Processes of this machine that answer together. */
  readonly workers: number;
  readonly logger: Logger;
  readonly now: () => number;
  readonly wallClock: () => number;
}

const fileName = "ccproxy.db";
const outboxRetryMs = 1000;

interface Opened {
  readonly engine: Engine;
  readonly keeps: string[];
}

/** @throws Error that says what could not be opened, why, and what to do; names no password */
export async function openStores(options: OpenStoresOptions): Promise<OpenedStores> {
  const opening = new Opening(options);
  try {
    return await opening.all();
  } catch (error) {
    await opening.close();
    throw error;
  }
}

/** What has been opened so far, so that a start that fails leaves nothing open. */
class Opening {
  readonly #options: OpenStoresOptions;
  readonly #opened: Opened[] = [];
  readonly #redis = new Map<string, Promise<OpenedEngines["redis"]>>();
  #memory: Promise<OpenedEngines["memory"]> | undefined;
  #waiting: (() => Promise<number>) | undefined;
  #beforeClose: (() => Promise<unknown>)[] = [];

  constructor(options: OpenStoresOptions) {
    this.#options = options;
  }

  async all(): Promise<OpenedStores> {
    const { config, directory, wallClock, workers } = this.#options;
    const file = await this.#open("sqlite", { path: path.join(directory, fileName), wallClock, maxCacheBytes: config.cache?.maxBytes });
    const database =
      config.databaseUrl === undefined
        ? file
        : await this.#open("postgres", { url: config.databaseUrl, poolSize: config.databaseConnections });
    this.#keeps(database, "ledger", "keys");
    const ledger = this.#withOutbox(database, file.outbox);
    const presence: PresenceStore = database.presence;
    const limits = await this.#limits(database, database === file && workers === 1);
    const routing = await this.#routing(file, workers);
    const cache = config.cache === undefined ? undefined : await this.#cache(file);
    return {
      ledger,
      keys: database.keys,
      limits,
      cache,
      routing,
      presence,
      status: () => this.#status(),
      close: () => this.close(),
    };
  }

  async close(): Promise<void> {
    for (const before of this.#beforeClose) await before();
    // In the reverse order: what waits for a server is kept in the file.
    for (const { engine } of this.#opened.toReversed()) await engine.close();
  }

  #withOutbox(database: OpenedEngines["sqlite"] | OpenedEngines["postgres"], outbox: Outbox): LedgerStore {
    const { logger } = this.#options;
    const ledger = createOutboxedLedger(database.ledger, outbox, () => database.ping(), {
      // What is folded into tables of this process's own takes its time from requests: rarely, and little at once.
      ...(database.name === "sqlite" ? { gatherMs: 100, batch: 50 } : { gatherMs: 25, batch: 500 }),
      retryMs: outboxRetryMs,
      onChange(change) {
        if (change.isAway)
          logger.warn({ error: change.error }, "the ledger cannot be brought up to date: what it has to keep waits in its outbox");
        else logger.info({ arrived: change.arrived }, "the ledger has got what waited for it");
      },
      onRefused: (writes, error) => logger.error({ error, rows: writes.length }, "rows of the ledger were refused"),
    });
    this.#waiting = () => ledger.waiting();
    this.#beforeClose.push(async () => ledger.flush().catch(() => undefined));
    return ledger;
  }

  /** Counted in memory where one process counts for all. */
  async #limits(database: OpenedEngines["sqlite"] | OpenedEngines["postgres"], isAlone: boolean): Promise<LimitStore> {
    const { config, logger } = this.#options;
    if (config.redis === undefined && isAlone) return this.#kept(await this.#inMemory(), "limits").limits;
    if (config.redis === undefined && config.databaseUrl === undefined) return this.#kept(database, "limits").limits;
    const shared = config.redis === undefined ? database : await this.#redisAt(config.redis);
    this.#keeps(shared, "limits");
    const { limits: local } = await this.#inMemory();
    const guarded = guardLimits(shared.limits, local, {
      policy: config.whenRedisIsAway,
      onChange(isAway) {
        if (isAway) logger.warn({ server: shared.name, policy: config.whenRedisIsAway }, "the server that counts limits is away");
        else logger.info({ server: shared.name }, "the server that counts limits is back");
      },
    });
    this.#beforeClose.push(() => guarded.close());
    return guarded;
  }

  async #routing(file: OpenedEngines["sqlite"], workers: number): Promise<RoutingStore> {
    const { config, now, wallClock, logger } = this.#options;
    const local = createMemoryRoutingStore({ now, wallClock });
    if (config.redis === undefined) return workers === 1 ? local : this.#kept(file, "routing").routing;
    const redis = this.#kept(await this.#redisAt(config.redis), "routing");
    const guarded = guardRouting(redis.routing, local, {
      onChange(isAway) {
        if (isAway) logger.warn({ server: redis.name }, "the server that keeps cooldowns and sessions is away: this process keeps its own");
        else logger.info({ server: redis.name }, "the server that keeps cooldowns and sessions is back");
      },
    });
    this.#beforeClose.push(() => guarded.close());
    return guarded;
  }

  async #cache(file: OpenedEngines["sqlite"]): Promise<CacheStore | undefined> {
    const cache = this.#options.config.cache;
    if (cache?.type === "disk") return this.#kept(file, "cache").cache;
    if (cache?.type === "redis" && cache.redis !== undefined) return this.#kept(await this.#redisAt(cache.redis), "cache").cache;
    return this.#kept(await this.#inMemory(), "cache").cache;
  }

  #inMemory(): Promise<OpenedEngines["memory"]> {
    const { now, wallClock, config } = this.#options;
    return (this.#memory ??= this.#open("memory", { now, wallClock, maxCacheBytes: config.cache?.maxBytes }));
  }

  /** One connection for all that is kept there. */
  #redisAt(redis: RedisConfig): Promise<OpenedEngines["redis"]> {
    const address = JSON.stringify(redis);
    let opened = this.#redis.get(address);
    if (opened === undefined) {
      opened = this.#open("redis", { ...redis, mayBeAway: true });
      this.#redis.set(address, opened);
    }
    return opened;
  }

  async #open<Name extends keyof EngineOptions>(name: Name, options: EngineOptions[Name]): Promise<OpenedEngines[Name]> {
    const open = this.#options.engines[name];
    if (open === undefined) throw new Error(`no plugin of this build can open ${name}`);
    const engine = await open(options);
    this.#opened.push({ engine, keeps: [] });
    return engine;
  }

  #kept<Which extends Engine>(engine: Which, ...concerns: readonly string[]): Which {
    this.#keeps(engine, ...concerns);
    return engine;
  }

  #keeps(engine: Engine, ...concerns: readonly string[]): void {
    this.#opened.find((each) => each.engine === engine)?.keeps.push(...concerns);
  }

  async #status(): Promise<readonly EngineStatus[]> {
    const waiting = await this.#waiting?.().catch(() => undefined);
    return Promise.all(
      this.#opened
        .filter(({ keeps }) => keeps.length > 0)
        .map(async ({ engine, keeps }) => {
          const problem = await engine.ping().then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
          );
          const isOutboxed = keeps.includes("ledger") && waiting !== undefined;
          return { name: engine.name, keeps, isUp: problem === undefined, problem, ...(isOutboxed ? { waiting } : {}) };
        }),
    );
  }
}
