/** Engines over one server, for the tests of a file. */

import { afterAll, afterEach, beforeAll } from "vitest";

import { type RedisEngine, type RedisOptions, openRedis } from "../../../plugins/redis/index.ts";
import { type RedisServer, startRedis } from "../../servers/redis.ts";

export interface Engines {
  readonly server: RedisServer;
  /** Closed behind the test. */
  open(options?: RedisOptions): Promise<RedisEngine>;
  /** Two over the server, which is emptied before. */
  openTwo(options?: RedisOptions): Promise<readonly [RedisEngine, RedisEngine]>;
}

/** Starts a server before the tests of the file, and stops it behind them. */
export function useEngines(settings?: { readonly password?: string }): Engines {
  let server: RedisServer | undefined;
  let opened: RedisEngine[] = [];

  const running = (): RedisServer => {
    if (server === undefined) throw new Error("the server is there within tests only");
    return server;
  };
  const open = async (options: RedisOptions = {}): Promise<RedisEngine> => {
    const engine = await openRedis({ url: running().url, ...options });
    opened.push(engine);
    return engine;
  };

  beforeAll(async () => {
    server = await startRedis(settings);
  });
  afterEach(async () => {
    await Promise.all(opened.map(async (engine) => engine.close()));
    opened = [];
  });
  afterAll(async () => server?.[Symbol.asyncDispose]());

  return {
    get server() {
      return running();
    },
    open,
    async openTwo(options = {}) {
      await running().flush();
      return [await open(options), await open(options)];
    },
  };
}
