import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogger, type Log, type LogOptions } from "../../../core/log/logger.ts";

let directory: string;
let path: string;
const opened: Log[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ccproxy-log-"));
  path = join(directory, "ccproxy.log");
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((log) => log.close()));
  await rm(directory, { recursive: true, force: true });
});

function openLog(options: Partial<LogOptions> & { readonly maxBytes?: number; readonly keep?: number } = {}): Log {
  const { maxBytes = 1e6, keep = 3, ...rest } = options;
  const log = createLogger({ level: "info", secrets: () => [], file: { path, maxBytes, keep }, ...rest });
  opened.push(log);
  return log;
}

async function records(file: string = path): Promise<Record<string, unknown>[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Record<string, unknown> => JSON.parse(line));
}

describe("the file", () => {
  test("holds one JSON object a line with level, time and message, and nobody else can read it", async () => {
    const log = openLog();
    log.logger.info({ label: "think", status: 200 }, "request");
    log.logger.debug({ hidden: true });
    await log.flush();
    expect(await records()).toEqual([
      { level: "info", time: expect.stringMatching(/^\d{4}-.*Z$/), label: "think", status: 200, msg: "request" },
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("is made private again when it was readable by others", async () => {
    await writeFile(path, "");
    await chmod(path, 0o644);
    const log = openLog();
    log.logger.info({});
    await log.flush();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("rotates before it would grow beyond the limit, keeps as many as asked, loses none of the newest lines", async () => {
    const log = openLog({ maxBytes: 1000, keep: 2 });
    for (let number = 0; number < 60; number++) log.logger.info({ number, padding: "x".repeat(60) });
    await log.flush();
    expect((await readdir(directory)).toSorted()).toEqual(["ccproxy.log", "ccproxy.log.1", "ccproxy.log.2"]);
    const all = [...(await records(`${path}.2`)), ...(await records(`${path}.1`)), ...(await records())].map((record) => record["number"]);
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => 60 - all.length + index));
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).size).toBeLessThanOrEqual(1000);
  });

  test("with nothing to keep, starts over instead of rotating", async () => {
    const log = openLog({ maxBytes: 300, keep: 0 });
    for (let number = 0; number < 10; number++) log.logger.info({ number, padding: "x".repeat(60) });
    await log.flush();
    expect(await readdir(directory)).toEqual(["ccproxy.log"]);
    expect((await records()).at(-1)).toMatchObject({ number: 9 });
  });

  test("comes back after it was deleted", async () => {
    const log = openLog();
    log.logger.info({ number: 1 });
    await log.flush();
    await rm(path);
    log.logger.info({ number: 2 });
    await log.flush();
    expect(await records()).toMatchObject([{ number: 2 }]);
  });

  test("is followed to its new place when another process rotated it", async () => {
    const log = openLog();
    log.logger.info({ number: 1 });
    await log.flush();
    await rename(path, `${path}.1`);
    log.logger.info({ number: 2 });
    await log.flush();
    expect(await records()).toMatchObject([{ number: 2 }]);
    expect(await records(`${path}.1`)).toMatchObject([{ number: 1 }]);
  });

  test("that cannot be written costs lines, never the process, and says afterwards how many", async () => {
    await mkdir(path);
    const log = openLog();
    log.logger.info({ number: 1 });
    log.logger.info({ number: 2 });
    await log.flush();
    await rm(path, { recursive: true });
    log.logger.info({ number: 3 });
    await log.flush();
    expect(await records()).toMatchObject([{ level: "warn", msg: expect.stringContaining("2 log lines were lost") }, { number: 3 }]);
  });

  test.runIf(process.platform === "linux")("survives a full disk", async () => {
    const log = createLogger({ level: "info", secrets: () => [], file: { path: "/dev/full", maxBytes: 1e6, keep: 0 } });
    opened.push(log);
    for (let number = 0; number < 3; number++) {
      log.logger.info({ number });
      await log.flush();
    }
    await log.close();
  });

  test("is not written through a symbolic link", async () => {
    const elsewhere = join(directory, "elsewhere");
    await writeFile(elsewhere, "");
    await symlink(elsewhere, path);
    const log = openLog();
    log.logger.info({ number: 1 });
    await log.flush();
    expect(await readFile(elsewhere, "utf8")).toBe("");
  });
});

describe("what is logged", () => {
  test("errors carry name, message, code, stack and causes, all without the secret", async () => {
    const secret = "very secret value";
    const log = openLog({ secrets: () => [secret] });
    const cause = Object.assign(new TypeError(`cause with ${secret}`), { code: "ECONNREFUSED", request: { header: secret } });
    log.logger.error({ error: new Error(`outer ${secret}`, { cause }) }, `failed: ${secret}`);
    await log.flush();
    const text = await readFile(path, "utf8");
    expect(text).not.toContain(secret);
    expect(JSON.parse(text)).toMatchObject({
      msg: "failed: [redacted]",
      error: {
        name: "Error",
        message: "outer [redacted]",
        stack: expect.stringContaining("logger.test"),
        cause: { name: "TypeError", message: "cause with [redacted]", code: "ECONNREFUSED" },
      },
    });
  });

  test("a secret that is loaded later is redacted from then on", async () => {
    let secrets: readonly string[] = [];
    const log = openLog({ secrets: () => secrets });
    log.logger.info({ value: "first-secret" });
    await log.flush();
    secrets = ["first-secret"];
    log.logger.info({ value: "first-secret" });
    await log.flush();
    expect((await records()).map((record) => record["value"])).toEqual(["first-secret", "[redacted]"]);
  });

  test("circular values, big integers and throwing getters never make a call throw", async () => {
    const log = openLog();
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const trap = {
      get value(): never {
        throw new Error("trapped");
      },
    };
    log.logger.info({ circular, big: 10n, trap }, "odd");
    await log.flush();
    expect(await records()).toMatchObject([{ msg: "odd" }]);
  });

  test("the level can be changed while running", async () => {
    const log = openLog();
    log.setLevel("debug");
    log.logger.debug({ number: 1 });
    await log.flush();
    expect(await records()).toMatchObject([{ level: "debug", number: 1 }]);
  });
});

describe("the terminal", () => {
  function terminalLines(write: (log: Log) => void): string[] {
    const stream = new PassThrough();
    const log = createLogger({ level: "debug", secrets: () => ["very secret value"], terminal: stream });
    write(log);
    return String(stream.read() ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.replace(/^\d\d:\d\d:\d\d /, ""));
  }

  test("shows a request in one line: status, label, model asked and served, tokens, time", () => {
    const lines = terminalLines(({ logger }) => {
      const record = { label: "background", modelAsked: "claude-haiku-5-5", status: 200, inputTokens: 12_345, outputTokens: 67, ms: 842.4 };
      logger.info({ ...record, modelServed: "glm-5" }, "request");
      logger.info({ ...record, modelServed: "claude-haiku-5-5", ms: 12_345 }, "request");
      logger.info({ method: "GET", path: "/v1/models", status: 403, ms: 0.3 }, "request");
    });
    expect(lines).toEqual([
      "200  background  claude-haiku-5-5 → glm-5  12.3k in, 67 out  842 ms",
      "200  background  claude-haiku-5-5  12.3k in, 67 out  12.3 s",
      "403  -  GET /v1/models  0 ms",
    ]);
  });

  test("shows other messages with their fields, errors by their message, secrets not at all", () => {
    const lines = terminalLines(({ logger }) => {
      logger.warn({ file: "/x/config.yaml", error: new Error("no very secret value") }, "reload refused");
    });
    expect(lines).toEqual(["warn  reload refused file=/x/config.yaml error=no [redacted]"]);
  });

  test("a logged text cannot move the cursor or start a line of its own", () => {
    const lines = terminalLines(({ logger }) => {
      logger.info({ model: "a\u001B[2Jb\nc\u202Ed" }, "odd\r\nname");
    });
    expect(lines).toEqual(["info  odd name model=a [2Jb c d"]);
  });
});

test("a process that ends without closing its log still writes its last lines", async () => {
  const { spawnSync } = await import("node:child_process");
  const source = new URL("../../../core/log/logger.ts", import.meta.url).href;
  const script = `const {createLogger} = await import(${JSON.stringify(source)});
    createLogger({level:"info",secrets:()=>[],file:{path:${JSON.stringify(path)},maxBytes:1e6,keep:1}}).logger.info({last:true}); process.exit(3);`;
  const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script]);
  expect(status).toBe(3);
  expect(await records()).toMatchObject([{ last: true }]);
});
