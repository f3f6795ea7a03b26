/** Engines over new databases of one server, for the tests of a file. */

import { afterAll, afterEach, beforeAll } from "vitest";

import { type PostgresEngine, type PostgresOptions, openPostgres } from "../../../plugins/postgres/index.ts";
import { type PostgresServer, startPostgres } from "../../servers/postgres.ts";

export interface Engines {
  readonly server: PostgresServer;
  /** Closed behind the test. */
  open(options: PostgresOptions): Promise<PostgresEngine>;
  /** Two over the same new database. */
  openTwo(options?: Omit<PostgresOptions, "url">): Promise<readonly [PostgresEngine, PostgresEngine]>;
}

/** Starts a server before the tests of the file, and stops it behind them. */
export function useEngines(options?: { readonly isDurable?: boolean }): Engines {
  let server: PostgresServer | undefined;
  let opened: PostgresEngine[] = [];

  const running = (): PostgresServer => {
    if (server === undefined) throw new Error("the server is there within tests only");
    return server;
  };
  const open = async (options: PostgresOptions): Promise<PostgresEngine> => {
    const engine = await openPostgres(options);
    opened.push(engine);
    return engine;
  };

  beforeAll(async () => {
    server = await startPostgres(options);
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
      const url = await running().createDatabase();
      return [await open({ ...options, url }), await open({ ...options, url })];
    },
  };
}
