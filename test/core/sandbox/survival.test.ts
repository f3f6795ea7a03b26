import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { LoadedProgram, PhaseOutcome } from "../../../core/sandbox/sandbox.ts";
import { openSandbox, phaseCall, unitsOf } from "../../helpers/sandboxes.ts";

/** Asks for one operation, waits for it, and says who was asked. */
const counts = `{ run: (m, host) => ({
  operations: [{ seq: 0, op: "kv.get", key: m.context.requestId }],
  resume: (results) => ({ writes: { annotations: { ok: results[0].ok, version: m.version } } }),
}) }`;
const says = "{ run: (m) => ({ writes: { annotations: { version: m.version } } }) }";

/** Starts so many calls per second until told to stop; ends when all have. */
function load(callsPerSecond: number, start: () => Promise<void>): { stop(): Promise<void>; inFlight(): number } {
  const open = new Set<Promise<void>>();
  const since = performance.now();
  let started = 0;
  // What the loop was late for is caught up with.
  const timer = setInterval(() => {
    for (; started < ((performance.now() - since) * callsPerSecond) / 1000; started++) {
      const call = start().finally(() => open.delete(call));
      open.add(call);
    }
  }, 5);
  return {
    inFlight: () => open.size,
    async stop() {
      clearInterval(timer);
      while (open.size > 0) await Promise.all(open);
    },
  };
}

const failures = (outcomes: readonly PhaseOutcome[]): readonly unknown[] => outcomes.flatMap(({ lost, error }) => lost ?? error ?? []);

describe("under load", () => {
  it("a hundred hosts are killed and no call fails, and each has its side effect once", { timeout: 120_000 }, async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([counts, says]));
    const effects = new Map<string, number>();
    const failed: unknown[] = [];
    let done = 0;
    let leastInFlight = Infinity;
    // 500 ms for each operation at 200 calls per second: a hundred calls are open at any moment.
    const operations = {
      async run(_unit: number, { seq }: { seq: number }, key: string) {
        effects.set(key, (effects.get(key) ?? 0) + 1);
        await delay(500);
        return { seq, ok: true as const, value: [] };
      },
    };
    const traffic = load(200, async () => {
      const outcomes = await program.run(phaseCall([0, 1], { operations }));
      failed.push(...failures(outcomes));
      if (outcomes.length !== 2) failed.push(outcomes);
      done++;
    });
    await vi.waitFor(() => expect(traffic.inFlight()).toBeGreaterThanOrEqual(50), { timeout: 5000 });
    const recoveriesMs: number[] = [];
    for (let kills = 0; kills < 100; kills++) {
      await vi.waitFor(() => expect(sandbox.status().spare).not.toBeNull(), { timeout: 5000, interval: 5 });
      leastInFlight = Math.min(leastInFlight, traffic.inFlight());
      const since = performance.now();
      process.kill(sandbox.status().active?.pid ?? 0, "SIGKILL");
      const [probe] = await program.run(phaseCall([1]));
      recoveriesMs.push(performance.now() - since);
      failed.push(...failures(probe === undefined ? [] : [probe]));
      await delay(20);
    }
    await traffic.stop();
    recoveriesMs.sort((a, b) => a - b);
    console.log(
      `${done} calls, at least ${leastInFlight} open; recovery median ${recoveriesMs[50]?.toFixed(1)} ms, worst ${recoveriesMs.at(-1)?.toFixed(1)} ms`,
    );
    expect(failed).toEqual([]);
    expect(sandbox.status().crashes).toBe(100);
    expect(leastInFlight).toBeGreaterThanOrEqual(50);
    expect(effects.size).toBe(done);
    expect([...effects.values()].filter((count) => count !== 1)).toEqual([]);
  });

  it("a hundred versions are loaded and no call fails or meets another version than its own", { timeout: 120_000 }, async () => {
    const sandbox = openSandbox();
    let version = 1;
    let current: { readonly program: LoadedProgram; readonly version: number } = {
      program: await sandbox.load(unitsOf([counts, says])),
      version,
    };
    const users = new Map<LoadedProgram, number>();
    const wrong: unknown[] = [];
    let done = 0;
    const operations = {
      async run(_unit: number, { seq }: { seq: number }) {
        await delay(100);
        return { seq, ok: true as const, value: [] };
      },
    };
    const traffic = load(200, async () => {
      const mine = current;
      users.set(mine.program, (users.get(mine.program) ?? 0) + 1);
      const outcomes = await program(mine.program);
      for (const { lost, error, writes } of outcomes) {
        if (lost !== undefined || error !== undefined || writes?.annotations?.["version"] !== mine.version)
          wrong.push({ lost, error, writes, wanted: mine.version });
      }
      if (outcomes.length !== 2) wrong.push(outcomes);
      done++;
      users.set(mine.program, (users.get(mine.program) ?? 0) - 1);
      release(mine.program);
    });
    const program = (loaded: LoadedProgram): Promise<readonly PhaseOutcome[]> => loaded.run(phaseCall([0, 1], { operations }));
    const release = (loaded: LoadedProgram): void => {
      if (loaded !== current.program && users.get(loaded) === 0) loaded.release();
    };
    for (let count = 0; count < 100; count++) {
      const before = current;
      const next = await sandbox.load(unitsOf([counts, says]));
      current = { program: next, version: ++version };
      release(before.program);
      await delay(20);
    }
    await traffic.stop();
    console.log(`${done} calls over 100 versions`);
    expect(wrong).toEqual([]);
    expect(sandbox.status()).toMatchObject({ crashes: 0, kills: 0 });
  });
});
