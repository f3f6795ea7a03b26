/** Connection pools, one per origin and connect timeout, kept for the life of the process. */

import { type Dispatcher, Pool } from "undici";

export class Pools {
  readonly #pools = new Map<string, Pool>();

  /** @param origin e.g. `https://api.anthropic.com` */
  get(origin: string, connectMs: number): Dispatcher {
    const key = `${origin} ${connectMs}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(origin, { allowH2: false, connect: { timeout: connectMs } });
      this.#pools.set(key, pool);
    }
    return pool;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}
