/** A real Redis of its own for a test file: in a temporary directory, on a free port of the loopback interface, nothing on disk. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { Redis } from "ioredis";

export interface RedisServer {
  readonly port: number;
  /** With its password, if it has one. */
  readonly url: string;
  /** As if it had crashed: what it knew is gone. */
  stop(): Promise<void>;
  /** Starts it, empty, on the same port; stops it before where it runs. */
  restart(): Promise<void>;
  /** It keeps its connections and answers nobody. @returns lets it go on */
  pause(): () => void;
  /** Forgets everything, scripts included. */
  flush(): Promise<void>;
  /** A client beside whatever is tested. */
  inspect<Result>(action: (redis: Redis) => Promise<Result>): Promise<Result>;
  /** Ends it and removes its files. */
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startRedis(options: { readonly password?: string } = {}): Promise<RedisServer> {
  const program = findProgram();
  const directory = mkdtempSync(path.join(tmpdir(), "ccproxy-redis-"));
  const port = await freePort();
  const { password } = options;
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const flags = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory, "--save", "", "--appendonly", "no"];
    const args = password === undefined ? flags : [...flags, "--requirepass", password];
    const started = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    child = started;
    let said = "";
    const isReady = await new Promise<boolean>((resolve) => {
      started.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (said.length < 10_000) said += text;
        if (said.includes("Ready to accept connections")) resolve(true);
      });
      started.once("exit", () => resolve(false));
    });
    if (!isReady) throw new Error(`Redis does not start:\n${said}`);
  }

  async function stop(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    const exit = once(running, "exit");
    running.kill("SIGKILL");
    await exit;
  }

  async function inspect<Result>(action: (redis: Redis) => Promise<Result>): Promise<Result> {
    const redis = new Redis({ host: "127.0.0.1", port, ...(password === undefined ? {} : { password }) });
    try {
      return await action(redis);
    } finally {
      redis.disconnect();
    }
  }

  const killNow = (): void => void child?.kill("SIGKILL");
  process.once("exit", killNow);
  await start();
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return {
    port,
    url: `redis://${secret}127.0.0.1:${port}`,
    stop,
    async restart() {
      await stop();
      await start();
    },
    pause() {
      const paused = child;
      paused?.kill("SIGSTOP");
      return () => void paused?.kill("SIGCONT");
    },
    async flush() {
      await inspect(async (redis) => {
        await redis.flushall();
        await redis.script("FLUSH");
      });
    },
    inspect,
    async [Symbol.asyncDispose]() {
      process.off("exit", killNow);
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function findProgram(): string {
  const program = "redis-server";
  try {
    execFileSync(program, ["--version"], { stdio: "pipe" });
    return program;
  } catch (error) {
    throw new Error("these tests need a Redis of their own, and there is no redis-server here: apt-get install redis-server", {
      cause: error,
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
