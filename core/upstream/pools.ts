/** The connections to all upstreams, by origin and by how the configuration wants them made. */

import { type ConnectionSettings, type ConnectionSource, plainConnections, readConnectionSettings } from "./connection-settings.ts";
import { createConnect } from "./connector.ts";
import { type Names, createNames } from "./names.ts";
import { OriginPool, type PoolFigures } from "./origin-pool.ts";
import { nameOf, proxyFor } from "./proxies.ts";

export interface OriginFigures extends PoolFigures {
  /** e.g. `https://api.anthropic.com` */
  readonly origin: string;
  /** The proxy it is reached through. */
  readonly proxy: string | undefined;
}

interface Entry {
  readonly pool: OriginPool;
  readonly proxy: string | undefined;
}

/** Pools of one way of connecting. */
interface Generation {
  readonly settings: ConnectionSettings;
  readonly entries: Map<string, Entry>;
}

export class Pools {
  readonly #names: Names;
  readonly #generations = new Set<Generation>();
  #bySource = new WeakMap<ConnectionSource, Generation>();
  #latest: Generation | undefined;

  constructor(names: Names = createNames()) {
    this.#names = names;
  }

  /**
   * @param origin e.g. `https://api.anthropic.com`
   * @param source the configuration of the request; another one with the same settings finds the same connections
   * @throws ConnectionError when the proxy for it is not usable
   */
  get(origin: string, source: ConnectionSource = plainConnections): OriginPool {
    const generation = this.#bySource.get(source) ?? this.#generationOf(source);
    return (generation.entries.get(origin) ?? this.#add(generation, origin)).pool;
  }

  #generationOf(source: ConnectionSource): Generation {
    const settings = readConnectionSettings(source);
    const same = [...this.#generations].find((each) => each.settings.key === settings.key);
    const generation = same ?? { settings, entries: new Map() };
    this.#generations.add(generation);
    this.#bySource.set(source, generation);
    this.#latest = generation;
    for (const other of this.#generations) this.#tidy(other);
    return generation;
  }

  #add(generation: Generation, origin: string): Entry {
    const { settings, entries } = generation;
    const url = new URL(origin);
    const proxy = proxyFor(url, settings.variables);
    const connect = createConnect({ ...settings, url, proxy }, this.#names);
    const pool = new OriginPool(origin, { connect, http2: settings.http2, onEmpty: () => this.#tidy(generation) });
    const entry = { pool, proxy: proxy === undefined ? undefined : nameOf(proxy) };
    entries.set(origin, entry);
    // It may have gone before, and an exchange that holds on to it comes back.
    this.#generations.add(generation);
    return entry;
  }

  /** What is no longer configured goes when its last connection has gone. */
  #tidy(generation: Generation): void {
    if (generation === this.#latest) return;
    for (const [origin, { pool }] of generation.entries) if (pool.isEmpty) generation.entries.delete(origin);
    if (generation.entries.size === 0) this.#generations.delete(generation);
  }

  /** Of every origin with a connection, for status. */
  figures(): readonly OriginFigures[] {
    return [...this.#generations].flatMap(({ entries }) =>
      [...entries].map(([origin, { pool, proxy }]) => ({ origin, proxy, ...pool.figures })),
    );
  }

  /** Fails what is under way. They can be used again. */
  async close(): Promise<void> {
    const pools = [...this.#generations].flatMap(({ entries }) => [...entries.values()].map(({ pool }) => pool));
    this.#generations.clear();
    this.#bySource = new WeakMap();
    this.#latest = undefined;
    await Promise.all(pools.map((pool) => pool.close()));
  }
}
