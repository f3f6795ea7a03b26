import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { isProcessAlive, processStartMark } from "../../cli/liveness.ts";
import { claimState, inspectState, removeStale, type Claim } from "../../cli/state.ts";
import { stateFilePath, type ServerState } from "../../cli/state-file.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ccproxy-state-"));
  return () => rm(directory, { recursive: true, force: true });
});

const details = { mode: "foreground", requested: {}, version: "0" } as const;
const gonePid = 2 ** 22 - 1;

async function writeState(changes: Partial<ServerState>): Promise<void> {
  const state = { claim: "c1", pid: gonePid, startMark: null, startedAt: "", server: null, ...details, ...changes };
  await writeFile(stateFilePath(directory), JSON.stringify(state));
}

/** Answers `/ccproxy/status` as a server of this instance, to those who show the token. */
async function standIn(instance: string): Promise<NonNullable<ServerState["server"]>> {
  const server = createServer((request, response) => {
    const known = request.headers["x-ccproxy-token"] === "control";
    response.writeHead(known ? 200 : 401).end(JSON.stringify({ name: "ccproxy", instance }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { host: "127.0.0.1", port, url: `http://127.0.0.1:${port}`, instance, controlToken: "control" };
}

function isClaim(value: object): value is Claim {
  return "publish" in value;
}

describe("what a state file stands for", () => {
  test("none: nothing runs", async () => {
    expect(await inspectState(directory)).toEqual({ type: "none" });
  });

  test.each(["", "{", "[]", '{"pid":1}', '{"claim":"c","pid":0}'])("%j is damaged and counts as left behind", async (text) => {
    await writeFile(stateFilePath(directory), text);
    expect(await inspectState(directory)).toMatchObject({ type: "stale", reason: "the state file is damaged" });
  });

  test("a process that is gone leaves it stale", async () => {
    await writeState({});
    expect(await inspectState(directory)).toMatchObject({ type: "stale", reason: expect.stringContaining("is gone") });
  });

  test("the server runs when its process is there and answers with its instance", async () => {
    await writeState({ pid: process.pid, startMark: await processStartMark(), server: await standIn("i1") });
    expect(await inspectState(directory)).toMatchObject({ type: "running", report: { instance: "i1" } });
  });

  test("another instance at the same address is not it", async () => {
    await writeState({ pid: process.pid, startMark: await processStartMark(), server: { ...(await standIn("i2")), instance: "i1" } });
    expect(await inspectState(directory)).toMatchObject({ type: "stale" });
  });

  test.runIf(process.platform === "linux")("a later process with the same id is not it", async () => {
    await writeState({ pid: process.pid, startMark: "1", server: await standIn("i1") });
    expect(await inspectState(directory)).toMatchObject({ type: "stale" });
  });

  test.runIf(process.platform === "linux")("the very process without an answer hangs, and is not taken for gone", async () => {
    const server = { ...(await standIn("i1")), controlToken: "wrong" };
    await writeState({ pid: process.pid, startMark: await processStartMark(), server });
    expect(await inspectState(directory)).toMatchObject({ type: "unresponsive" });
  });

  test.runIf(process.platform === "linux")("a zombie is gone", async () => {
    // The shell never waits for its child, which ends at once.
    const parent = spawn("sh", ["-c", "sh -c 'echo $$' & exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const [chunk] = await once(parent.stdout, "data");
    await expect.poll(() => isProcessAlive(Number(String(chunk)), null)).toBe(false);
  });
});

describe("a claim", () => {
  test("is a private file that says the server is starting, then where it listens", async () => {
    const claim = await claimState(directory, details, () => undefined);
    if (!isClaim(claim)) throw new Error("not claimed");
    expect((await stat(stateFilePath(directory))).mode & 0o777).toBe(0o600);
    expect(await inspectState(directory)).toMatchObject({ type: "starting", state: { pid: process.pid } });
    await claim.publish(await standIn("i1"));
    expect(await inspectState(directory)).toMatchObject({ type: "running" });
    expect((await stat(stateFilePath(directory))).mode & 0o777).toBe(0o600);
    claim.release();
    expect(await readdir(directory)).toEqual([]);
  });

  test.each(["nothing there", "a stale file", "a damaged file"])("of many at the same time exactly one wins: %s", async (before) => {
    if (before === "a stale file") await writeState({});
    if (before === "a damaged file") await writeFile(stateFilePath(directory), "{");
    const removed: string[] = [];
    const results = await Promise.all(Array.from({ length: 30 }, () => claimState(directory, details, (reason) => removed.push(reason))));
    expect(results.filter(isClaim)).toHaveLength(1);
    expect(results.filter((result) => !isClaim(result))).toEqual(
      Array.from({ length: 29 }, () => expect.objectContaining({ type: "starting" })),
    );
    expect(removed).toHaveLength(before === "nothing there" ? 0 : 1);
    expect(await readdir(directory)).toEqual(["state.json"]);
  });

  test("somebody else's file is neither released nor overwritten", async () => {
    const claim = await claimState(directory, details, () => undefined);
    if (!isClaim(claim)) throw new Error("not claimed");
    await writeState({ claim: "another" });
    await expect(claim.publish(await standIn("i1"))).rejects.toThrow("removed or replaced");
    claim.release();
    expect(JSON.parse(await readFile(stateFilePath(directory), "utf8"))).toMatchObject({ claim: "another" });
  });

  test("what was put in place of a stale file meanwhile is not removed with it", async () => {
    await writeState({ claim: "newer" });
    expect(await removeStale(directory, "older")).toBe(false);
    expect(await readdir(directory)).toEqual(["state.json"]);
  });
});
