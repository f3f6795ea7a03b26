import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHome, launcher, observe, type Running } from "./command-line.ts";

interface Pretence {
  /** Whether it can also not replace itself by another program, as before Node 22. */
  readonly spawning?: boolean;
  readonly launcher?: string;
  readonly home?: string;
}

/** Makes this Node take itself for version 20. */
function runUnfit(args: readonly string[], options: Pretence = {}): Running {
  const pretence = [
    "Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.1.0'}})",
    ...(options.spawning === true ? ["Object.defineProperty(process,'execve',{value:undefined})"] : []),
  ].join(";");
  const preload = `data:text/javascript,${encodeURIComponent(pretence)}`;
  const child = spawn(process.execPath, ["--import", preload, options.launcher ?? launcher, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: options.home ?? "/nonexistent" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return observe(child);
}

/** A home in which `logs --follow` has something to wait for. */
async function homeWithLog(): Promise<string> {
  const { home, directory } = await createHome();
  await mkdir(directory);
  await writeFile(join(directory, "ccproxy.log"), "a line\n");
  return home;
}

const ways = [
  ["replacing itself", false],
  ["starting a child", true],
] as const;

describe("under a Node that does not fit, the packaged one takes over", () => {
  test.each(ways)("by %s, with all arguments and the exit code", async (_way, spawning) => {
    const { code, stderr } = await runUnfit(["start", "--port", "a b"], { spawning }).finished;
    expect(code).toBe(2);
    expect(stderr).toContain("argument 'a b' is invalid");
  });

  test.each(ways)("by %s: a signal to end reaches the command, which decides", async (_way, spawning) => {
    const running = runUnfit(["logs", "--follow"], { spawning, home: await homeWithLog() });
    await running.shows("a line");
    running.child.kill("SIGTERM");
    expect(await running.finished).toMatchObject({ code: 0, signal: null });
  });

  test.each(ways)("by %s: without a terminal an interrupt reaches the command too", async (_way, spawning) => {
    const running = runUnfit(["logs", "--follow"], { spawning, home: await homeWithLog() });
    await running.shows("a line");
    running.child.kill("SIGINT");
    expect(await running.finished).toMatchObject({ code: 0, signal: null });
  });

  test.each(ways)("by %s: a signal that ends the command ends the launcher the same way", async (_way, spawning) => {
    const running = runUnfit(["logs", "--follow"], { spawning, home: await homeWithLog() });
    await running.shows("a line");
    running.child.kill("SIGUSR2");
    expect(await running.finished).toMatchObject({ code: null, signal: "SIGUSR2" });
  });

  test("without the packaged Node one line says what was found and what to install", async () => {
    const directory = await mkdtemp(join(tmpdir(), "ccproxy-launcher-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, "package.json"), '{"type":"module"}');
    await copyFile(launcher, join(directory, "ccproxy.js"));
    const { code, stdout, stderr } = await runUnfit(["--version"], { launcher: join(directory, "ccproxy.js") }).finished;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^ccproxy: needs Node 24 or 26, but this is Node 20\.1\.0 and the packaged one \(node-[a-z0-9-]+\) is not installed; .*\n$/,
    );
  });
});
