/** A real PostgreSQL of its own for a test file: a new cluster in a temporary directory, on a free port of the loopback interface. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { Client } from "pg";

export interface PostgresServer {
  readonly port: number;
  /** Of its superuser `postgres`. */
  readonly password: string;
  /** Of the database that is always there. */
  readonly url: string;
  /** @returns the url of a new, empty database */
  createDatabase(): Promise<string>;
  /** Waits for nobody's transactions, and writes down what was committed. */
  stop(): Promise<void>;
  /** Starts it again after `stop` or `kill`; stops it before where it runs. */
  restart(): Promise<void>;
  /** As if it had crashed. */
  kill(): Promise<void>;
  /** Ends it and removes its files. */
  [Symbol.asyncDispose](): Promise<void>;
}

const debian = "/usr/lib/postgresql";
const password = "secret word/of@tests";

/** @param options.isDurable with fsync: what was committed outlives more than the process */
export async function startPostgres(options: { readonly isDurable?: boolean } = {}): Promise<PostgresServer> {
  const programs = findPrograms();
  const owner = findOwner();
  const directory = mkdtempSync(path.join(tmpdir(), "ccproxy-pg-"));
  const data = path.join(directory, "data");
  const passwordFile = path.join(directory, "password");
  writeFileSync(passwordFile, `${password}\n`);
  if (owner !== undefined) for (const name of [directory, passwordFile]) chownSync(name, owner.uid, owner.gid);
  const settings = [
    "--auth=scram-sha-256",
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
  ];
  execFileSync(path.join(programs, "initdb"), ["-D", data, ...settings], { ...owner, cwd: directory, stdio: "pipe" });
  const port = await freePort();
  let child: ChildProcess | undefined;
  let databases = 0;

  const urlOf = (database: string): string => `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;

  async function tryStart(): Promise<string | undefined> {
    const fsync = options.isDurable === true ? "on" : "off";
    const flags = { port, fsync, listen_addresses: "127.0.0.1", unix_socket_directories: "", max_connections: 100, shared_buffers: "32MB" };
    const args = Object.entries(flags).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const started = spawn(path.join(programs, "postgres"), ["-D", data, ...args], {
      ...owner,
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const log = started.stderr.setEncoding("utf8");
    let said = "";
    const isReady = await new Promise<boolean>((resolve) => {
      log.on("data", (text: string) => {
        if (child !== started) said += text;
        if (said.includes("ready to accept connections")) resolve(true);
      });
      started.once("exit", () => resolve(false));
    });
    if (!isReady) return said;
    child = started;
    return undefined;
  }

  async function start(): Promise<void> {
    let failure: string | undefined = "";
    // Processes of a server that was killed take a moment to notice, and hold its shared memory until then.
    for (let tries = 0; tries < 40 && failure !== undefined; tries += 1) failure = await tryStart();
    if (failure !== undefined) throw new Error(`PostgreSQL does not start:\n${failure}`);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    const exit = once(running, "exit");
    running.kill(signal);
    await exit;
  }

  const killNow = (): void => void child?.kill("SIGQUIT");
  process.once("exit", killNow);
  await start();
  return {
    port,
    password,
    url: urlOf("postgres"),
    async createDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await runSql(urlOf("postgres"), `create database ${name}`);
      return urlOf(name);
    },
    stop: async () => end("SIGINT"),
    kill: async () => end("SIGKILL"),
    async restart() {
      await end("SIGINT");
      await start();
    },
    async [Symbol.asyncDispose]() {
      process.off("exit", killNow);
      await end("SIGQUIT");
      rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

/** One statement on a connection of its own, beside whatever is tested. */
export async function runSql(url: string, sql: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** The newest version that is installed. */
function findPrograms(): string {
  const versions = existsSync(debian) ? readdirSync(debian).filter((name) => existsSync(path.join(debian, name, "bin/postgres"))) : [];
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  if (newest !== undefined) return path.join(debian, newest, "bin");
  throw new Error(`these tests need a PostgreSQL of their own, and there is none in ${debian}: apt-get install postgresql`);
}

/** PostgreSQL refuses to run as root; its package brings a user. */
function findOwner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
