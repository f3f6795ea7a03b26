/** One connection to a Redis server, which is lost at once when it is lost, and comes back by itself. */

import { Redis } from "ioredis";

import type { Target } from "./address.ts";
import { type Explain, explainer } from "./errors.ts";

/** Lua that runs as one command. `name` is that of the command here, and is no part of the server. */
export interface Script {
  readonly name: string;
  readonly lua: string;
}

type Argument = string | number | Buffer;

export interface Connection {
  /** One round trip. @throws RedisError */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  /** @throws RedisError */
  command<Result>(action: (redis: Redis) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface ConnectionTimes {
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
}

const longestBackoffMs = 2000;
/** A connection on which a command has waited so long for any byte is dead, though nobody has said so: its machine has vanished. */
const silenceMs = 2000;

/** Does not connect yet. */
export function createConnection(
  target: Target,
  times: ConnectionTimes,
): Connection & {
  /** @throws RedisError when the server is not there; goes on trying until it is closed */
  connect(): Promise<void>;
} {
  const { host, port, username, password, db, tls, where, secrets } = target;
  let whyAway: unknown;
  const explain: Explain = explainer(where, secrets, () => whyAway);
  const redis = new Redis({
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: times.connectTimeoutMs,
    commandTimeout: times.commandTimeoutMs,
    socketTimeout: silenceMs,
    disconnectTimeout: times.commandTimeoutMs,
    // A command while the server is away fails at once, and one that was under way may have been done: it must not be done again.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 10), longestBackoffMs) + Math.random() * 50,
    // Behind a failover the old primary takes no writes any more: its name has to be looked up anew.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  redis.on("error", (error) => {
    whyAway = error;
  });
  redis.on("ready", () => {
    whyAway = undefined;
  });
  const commands = new Map<string, (...args: Argument[]) => Promise<unknown>>();

  function commandOf({ name, lua }: Script): (...args: Argument[]) => Promise<unknown> {
    const known = commands.get(name);
    if (known !== undefined) return known;
    // Sent by its hash, and whole where the server does not know it yet or any more.
    redis.defineCommand(name, { lua });
    const own: Readonly<Record<string, unknown>> = redis as never;
    const command = (own[name] as (...args: Argument[]) => Promise<unknown>).bind(redis);
    commands.set(name, command);
    return command;
  }

  async function explained<Result>(action: () => Promise<Result>): Promise<Result> {
    try {
      return await action();
    } catch (error) {
      throw explain(error);
    }
  }

  return {
    connect: async () => explained(async () => redis.connect()),
    run: async (script, keys, args) => explained(async () => commandOf(script)(keys.length, ...keys, ...args)),
    command: async (action) => explained(async () => action(redis)),
    async close() {
      // Behind what is under way; a server that is away has nothing to be told.
      await redis.quit().catch(() => undefined);
      redis.disconnect();
    },
  };
}
