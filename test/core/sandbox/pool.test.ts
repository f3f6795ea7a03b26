import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { HostProgram } from "../../../core/sandbox/host-process.ts";
import { SandboxUnavailable } from "../../../core/sandbox/sandbox.ts";
import { fakeHost, openSandbox, phaseCall, unitsOf } from "../../helpers/sandboxes.ts";

const sayPid = "{ run: (m, host) => ({ writes: { annotations: { pid: host.pid, version: m.version } } }) }";

/** A host program of this source, in a folder of its own. */
async function hostOf(source: string): Promise<HostProgram> {
  const folder = await mkdtemp(join(tmpdir(), "ccproxy-host-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const entry = join(folder, "host.mjs");
  await writeFile(entry, source);
  return { entry, readable: [entry], runtime: "" };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function spareOf(sandbox: ReturnType<typeof openSandbox>): Promise<number> {
  return vi.waitFor(() => {
    const pid = sandbox.status().spare?.pid;
    if (pid === undefined) throw new Error("there is no spare");
    return pid;
  });
}

describe("the pool", () => {
  it("starts nothing as long as there is nothing to run", async () => {
    const sandbox = openSandbox({ hostProgram: () => Promise.reject(new Error("nobody asked for it")) });
    const program = await sandbox.load([]);
    expect(program.manifests).toEqual([]);
    expect(await program.run(phaseCall([]))).toEqual([]);
    expect(sandbox.status()).toMatchObject({ active: null, spare: null });
  });

  it("keeps one host at work and one ready", async () => {
    const sandbox = openSandbox();
    await sandbox.load(unitsOf([sayPid]));
    const spare = await spareOf(sandbox);
    expect(sandbox.status().active?.pid).not.toBe(spare);
    expect(isRunning(spare)).toBe(true);
  });

  it("lets the spare take over when the active host is lost, and starts another", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([sayPid]));
    const spare = await spareOf(sandbox);
    process.kill(sandbox.status().active?.pid ?? 0, "SIGKILL");
    await vi.waitFor(() => expect(sandbox.status().active?.pid).toBe(spare));
    const [outcome] = await program.run(phaseCall([0]));
    expect(outcome?.writes?.annotations?.["pid"]).toBe(spare);
    expect(await spareOf(sandbox)).not.toBe(spare);
    expect(sandbox.status().crashes).toBe(1);
  });

  it("makes calls wait while no host is there, until the next one is", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([sayPid]));
    const hosts = [sandbox.status().active?.pid ?? 0, await spareOf(sandbox)];
    for (const pid of hosts) process.kill(pid, "SIGKILL");
    const [outcome] = await program.run(phaseCall([0]));
    expect(hosts).not.toContain(outcome?.writes?.annotations?.["pid"]);
    expect(outcome?.lost).toBeUndefined();
  });

  it("gives a new version to the spare first, which then goes to work", async () => {
    const sandbox = openSandbox();
    const first = await sandbox.load(unitsOf([sayPid]));
    const spare = await spareOf(sandbox);
    const second = await sandbox.load(unitsOf([sayPid]));
    expect(sandbox.status().active?.pid).toBe(spare);
    const [old] = await first.run(phaseCall([0]));
    const [now] = await second.run(phaseCall([0]));
    expect([old?.writes?.annotations?.["version"], now?.writes?.annotations?.["version"]]).toEqual([1, 2]);
  });

  it("has every version that is in use in every host, whichever takes over", async () => {
    const sandbox = openSandbox();
    const programs = [await sandbox.load(unitsOf([sayPid])), await sandbox.load(unitsOf([sayPid]))];
    for (let round = 0; round < 3; round++) {
      process.kill(sandbox.status().active?.pid ?? 0, "SIGKILL");
      for (const [index, program] of programs.entries()) {
        const [outcome] = await program.run(phaseCall([0]));
        expect(outcome?.writes?.annotations?.["version"]).toBe(index + 1);
      }
    }
  });

  it("ends the hosts when the last program is released, and starts them again for the next", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([sayPid]));
    const pids = [sandbox.status().active?.pid ?? 0, await spareOf(sandbox)];
    program.release();
    await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]));
    expect(sandbox.status()).toMatchObject({ active: null, spare: null, crashes: 0, kills: 0 });
    const again = await sandbox.load(unitsOf([sayPid]));
    expect((await again.run(phaseCall([0])))[0]?.lost).toBeUndefined();
  });

  it("leaves no process behind", async () => {
    const sandbox = openSandbox();
    await sandbox.load(unitsOf([sayPid]));
    const pids = [sandbox.status().active?.pid ?? 0, await spareOf(sandbox)];
    await sandbox.close();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it("replaces a host that has grown", async () => {
    const sandbox = openSandbox({ recycleBytes: 1 });
    const program = await sandbox.load(unitsOf([sayPid]));
    const grown = sandbox.status().active?.pid;
    await vi.waitFor(
      async () => {
        const [outcome] = await program.run(phaseCall([0]));
        expect(outcome?.writes?.annotations?.["pid"]).not.toBe(grown);
      },
      { timeout: 10_000 },
    );
    expect(sandbox.status().crashes).toBe(0);
  });

  it("says that no host can be started", async () => {
    const program = await hostOf("process.exit(7)");
    const sandbox = openSandbox({ hostProgram: () => Promise.resolve(program) });
    await expect(sandbox.load(unitsOf([sayPid]))).rejects.toThrow(SandboxUnavailable);
    await expect(sandbox.load(unitsOf([sayPid]))).rejects.toThrow(/ended with code 7/);
  });

  it("gives up a host that never becomes ready", async () => {
    const program = await hostOf("setInterval(() => {}, 1000)");
    const sandbox = openSandbox({ hostProgram: () => Promise.resolve(program), readyMs: 100 });
    await expect(sandbox.load(unitsOf([sayPid]))).rejects.toThrow(/was not ready within 100 ms/);
  });

  it("loses a run rather than let it hang when no host can be had any more", async () => {
    const host = await hostOf("");
    await copyFile(fakeHost.entry, host.entry);
    const sandbox = openSandbox({ hostProgram: () => Promise.resolve(host) });
    const program = await sandbox.load(unitsOf([sayPid, sayPid]));
    const pids = [sandbox.status().active?.pid ?? 0, await spareOf(sandbox)];
    await rm(host.entry);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    expect(await program.run(phaseCall([0, 1]))).toEqual([
      { unit: 0, us: 0, lost: "unavailable" },
      { unit: 1, us: 0, lost: "unavailable" },
    ]);
    const stream = program.openStream({ ...phaseCall([0]), stream: "s" });
    expect(await stream.push(["{}"])).toEqual({ events: [0], outcomes: [{ unit: 0, us: 0, lost: "unavailable" }] });
  });

  it("confines a host: no variable, no file of others, no process", async () => {
    const code = `{ run: () => {
      const attempt = (act) => { try { return String(act()); } catch (error) { return error.code; } };
      return { writes: { annotations: {
        env: Object.keys(process.env),
        read: attempt(() => process.getBuiltinModule("node:fs").readFileSync("/etc/passwd")),
        spawn: attempt(() => process.getBuiltinModule("node:child_process").spawnSync("ls")),
        wasm: typeof WebAssembly,
      } } };
    } }`;
    const program = await openSandbox().load(unitsOf([code]));
    const [outcome] = await program.run(phaseCall([0]));
    expect(outcome?.writes?.annotations).toEqual({
      env: expect.toSatisfy((names: string[]) => !names.includes("PATH") && names.length <= 3),
      read: "ERR_ACCESS_DENIED",
      spawn: "ERR_ACCESS_DENIED",
      wasm: "undefined",
    });
  });
});

describe("a file that does not load", () => {
  it("is named when its host has to be killed, and the others are loaded", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([sayPid, "(() => { for (;;); })()", sayPid]));
    expect(program.manifests.map(({ error }) => error?.message)).toEqual([
      undefined,
      "it did not come to an end and was killed while it was loaded",
      undefined,
    ]);
    expect(program.quarantined(1)).toMatch(/while it was loaded/);
    const outcomes = await program.run(phaseCall([0, 1, 2]));
    expect(outcomes.map(({ lost }) => lost)).toEqual([undefined, "quarantined", undefined]);
  });

  it("is given a second chance when its host died, which may have been for another reason", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([sayPid, "process.abort()"]));
    expect(program.manifests.map(({ error }) => error?.message)).toEqual([undefined, "it took its host down while it was loaded"]);
    expect(sandbox.status().crashes).toBe(2);
  });
});
