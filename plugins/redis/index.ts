/** Limits, cache and routing state in a Redis server, version 6 or later, that any number of processes on any number of machines share. */

import type { CacheStore } from "../../sdk/cache.ts";
import type { LimitStore } from "../../sdk/limits.ts";
import type { RoutingStore } from "../../sdk/routing-store.ts";
import type { Engine } from "../../sdk/stores.ts";
import { type RedisAddress, readAddress } from "./address.ts";
import { createCacheStore } from "./cache-store.ts";
import type { WallClock } from "./clock.ts";
import { createConnection } from "./connection.ts";
import { createLimitStore } from "./limit-store.ts";
import { createNames } from "./names.ts";
import { createRoutingStore } from "./routing-store.ts";

export interface RedisOptions extends RedisAddress {
  /** What shares a namespace shares everything. On a cluster it is in one slot. Default: `ccproxy`. */
  readonly namespace?: string | undefined;
  /** Opens even when the server is not there: it is used as soon as it is. Default: false. */
  readonly mayBeAway?: boolean | undefined;
  /** Default: 2000. */
  readonly connectTimeoutMs?: number | undefined;
  /** After which a command has failed, though the server may have done it. Default: 250. */
  readonly commandTimeoutMs?: number | undefined;
  /** ms since 1970, in place of the server's clock, which all processes share: for tests only. */
  readonly wallClock?: WallClock;
}

export interface RedisEngine extends Engine {
  readonly limits: LimitStore;
  readonly cache: CacheStore;
  readonly routing: RoutingStore;
}

/**
 * Connects. While the server is away, every method rejects at once, or after its time; the connection comes back by itself.
 *
 * @throws RedisError when the server cannot be reached, unless it may be away, or refuses who asks; holds no password. So do all errors of the stores
 */
export async function openRedis(options: RedisOptions): Promise<RedisEngine> {
  const { namespace = "ccproxy", mayBeAway = false, connectTimeoutMs = 2000, commandTimeoutMs = 250, wallClock } = options;
  const names = createNames(namespace);
  const connection = createConnection(readAddress(options), { connectTimeoutMs, commandTimeoutMs });
  try {
    await connection.connect();
  } catch (error) {
    if (!mayBeAway) {
      await connection.close();
      throw error;
    }
  }
  return {
    name: "redis",
    limits: createLimitStore(connection, names, wallClock),
    cache: createCacheStore(connection, names, wallClock),
    routing: createRoutingStore(connection, names, wallClock),
    async ping() {
      await connection.command(async (redis) => redis.ping());
    },
    close: async () => connection.close(),
  };
}
