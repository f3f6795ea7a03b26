import { appendFile, mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { follow } from "../../cli/follow.ts";
import { createLogger } from "../../core/log/logger.ts";
import { createHome, type Home } from "./command-line.ts";

async function homeWithLog(text?: string): Promise<Home & { readonly path: string }> {
  const home = await createHome();
  await mkdir(home.directory);
  const path = join(home.directory, "ccproxy.log");
  if (text !== undefined) await writeFile(path, text);
  return { ...home, path };
}

/** Reads from a follower, one line at a time. */
function following(path: string, lines: number): { next(): Promise<string> } {
  const stop = new AbortController();
  const iterator = follow({ path, signal: stop.signal, lines });
  onTestFinished(async () => {
    stop.abort();
    await iterator.return();
  });
  return {
    async next() {
      const { value, done } = await iterator.next();
      if (done === true) throw new Error("the follower ended");
      return value;
    },
  };
}

async function take(follower: { next(): Promise<string> }, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) lines.push(await follower.next());
  return lines;
}

describe("logs", () => {
  test("prints the last lines for people, as many as asked, out of rotated files too", async () => {
    const { ccproxy, path } = await homeWithLog();
    const line = (number: number): string => `${JSON.stringify({ level: "info", time: "2026-01-02T03:04:05Z", msg: `line ${number}` })}\n`;
    await writeFile(`${path}.2`, line(1) + line(2));
    await writeFile(`${path}.1`, line(3));
    await writeFile(path, line(4) + line(5));
    const { code, stdout } = await ccproxy(["logs", "-n", "4"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").map((text) => text.slice(9))).toEqual(["info  line 2", "info  line 3", "info  line 4", "info  line 5", ""]);
  });

  test("with --json prints the lines as they stand, foreign ones too", async () => {
    const text = '{"level":"info"}\nTypeError: thrown by the server process\n';
    const { ccproxy } = await homeWithLog(text);
    expect(await ccproxy(["logs", "--json"])).toMatchObject({ code: 0, stdout: text });
  });

  test("without a log tells where it would be and exits 1", async () => {
    const { ccproxy } = await homeWithLog();
    const { code, stderr } = await ccproxy(["logs"]);
    expect(code).toBe(1);
    expect(stderr).toContain("~/.ccproxy/ccproxy.log");
  });

  test("of an empty log says so", async () => {
    const { ccproxy } = await homeWithLog("");
    expect(await ccproxy(["logs"])).toMatchObject({ code: 0, stdout: "", stderr: "ccproxy: the log is empty\n" });
  });

  test("-f prints what is there, then what comes, and ends with 0 on an interrupt", async () => {
    const { start, path } = await homeWithLog("one\ntwo\n");
    const running = start(["logs", "-f", "-n", "1", "--json"]);
    await running.shows("two");
    await appendFile(path, "three\n");
    await running.shows("three");
    running.child.kill("SIGINT");
    expect(await running.finished).toMatchObject({ code: 0, stdout: "two\nthree\n" });
  });

  test("a reader that has seen enough is no failure", async () => {
    const { path, home } = await homeWithLog("x\n".repeat(200_000));
    const { spawnSync } = await import("node:child_process");
    const { launcher } = await import("./command-line.ts");
    const command = `"${process.execPath}" "${launcher}" logs -n 200000 --json | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8", env: { PATH: process.env["PATH"], HOME: home } });
    expect({ path, stdout, stderr }).toEqual({ path, stdout: "x\n0\n", stderr: "" });
  });
});

describe("the follower", () => {
  test("misses and repeats no line while the log rotates under it", async () => {
    const { path } = await homeWithLog();
    const log = createLogger({ level: "info", secrets: () => [], file: { path, maxBytes: 600, keep: 50 } });
    onTestFinished(() => log.close());
    log.logger.info({ number: 0 });
    await log.flush();
    const follower = following(path, 10);
    const numbers: unknown[] = [JSON.parse(await follower.next()).number];
    for (let batch = 0; batch < 5; batch++) {
      // Several rotations in one go, so that whole files come and go between two looks.
      for (let number = 1; number <= 40; number++) log.logger.info({ number: batch * 40 + number, padding: "ä".repeat(20) });
      await log.flush();
      for (const line of await take(follower, 40)) numbers.push(JSON.parse(line).number);
    }
    expect(numbers).toEqual(Array.from({ length: 201 }, (_, number) => number));
  });

  test("starts over when the log was truncated", async () => {
    const { path } = await homeWithLog("a long line before\n");
    const follower = following(path, 1);
    await follower.next();
    await truncate(path);
    await appendFile(path, "after\n");
    expect(await follower.next()).toBe("after");
  });

  test("waits for a log that is not there yet, and for one that was removed", async () => {
    const { path } = await homeWithLog();
    const follower = following(path, 1);
    const first = follower.next();
    await writeFile(path, "first\n");
    expect(await first).toBe("first");
    await rm(path);
    await writeFile(`${path}.new`, "second\n");
    await rename(`${path}.new`, path);
    expect(await follower.next()).toBe("second");
  });

  test("yields a line only when it is complete, in whatever pieces it was written", async () => {
    const { path } = await homeWithLog("done\nhal");
    const follower = following(path, 5);
    expect(await follower.next()).toBe("done");
    const rest = follower.next();
    const bytes = Buffer.from("f, then a smile 😀\n");
    for (const byte of bytes) await appendFile(path, Buffer.from([byte]));
    expect(await rest).toBe("half, then a smile 😀");
  });
});
