import { describe, expect, it } from "vitest";
import { createStrikes } from "../../../core/sandbox/strikes.ts";
import { openSandbox, phaseCall, recordingLogger, unitsOf } from "../../helpers/sandboxes.ts";

const hangs = "{ run: () => { for (;;); } }";
const fine = "{ run: (m) => ({ writes: { annotations: { together: m.units } } }) }";

describe("strikes", () => {
  const clock = { now: 0 };
  const strikesOf = (): ReturnType<typeof createStrikes> => {
    clock.now = 0;
    return createStrikes(recordingLogger().logger, () => clock.now);
  };

  it("put a file out of use with the third within ten minutes", () => {
    const strikes = strikesOf();
    for (const minute of [0, 5, 9]) {
      expect(strikes.reason("h")).toBeUndefined();
      clock.now = minute * 60_000;
      strikes.add("hooks/a.ts", "h", "was killed in preCall");
    }
    expect(strikes.reason("h")).toMatch(/was killed in preCall, for the third time within ten minutes/);
    expect(strikes.list()).toEqual([
      { file: "hooks/a.ts", until: "the file changes", reason: expect.stringContaining("hooks/a.ts is out of use") },
    ]);
    clock.now = 24 * 3600_000;
    expect(strikes.reason("h")).toBeDefined();
    expect(strikes.reason("another")).toBeUndefined();
  });

  it("are forgotten after ten minutes", () => {
    const strikes = strikesOf();
    for (const minute of [0, 6, 12, 18]) {
      clock.now = minute * 60_000;
      strikes.add("hooks/a.ts", "h", "was killed");
    }
    expect(strikes.reason("h")).toBeUndefined();
    expect(strikes.isSuspect("h")).toBe(true);
    clock.now = 29 * 60_000;
    expect(strikes.isSuspect("h")).toBe(false);
    expect(strikes.isClean).toBe(true);
  });
});

describe("a file that had hosts killed three times", () => {
  it("is not run any more until it changes, which is logged once", async () => {
    const sandbox = openSandbox();
    const units = unitsOf([hangs, fine], { sliceMs: 10 });
    const program = await sandbox.load(units);
    const losses: (string | undefined)[] = [];
    for (let count = 0; count < 5; count++) losses.push((await program.run(phaseCall([0, 1])))[0]?.lost);
    expect(losses).toEqual(["killed", "killed", "killed", "quarantined", "quarantined"]);
    expect(sandbox.status()).toMatchObject({ kills: 3, quarantined: [{ file: "hooks/0.ts" }] });
    expect(program.quarantined(0)).toMatch(/third time/);
    expect(program.quarantined(1)).toBeUndefined();
    expect(sandbox.lines.filter(({ level }) => level === "error")).toHaveLength(1);

    const again = await sandbox.load(units);
    expect(again.manifests[0]?.error).toBeUndefined();
    expect((await again.run(phaseCall([0])))[0]?.lost).toBe("quarantined");
    const changed = await sandbox.load(unitsOf([hangs.replace("for (;;);", "return {};")]));
    expect((await changed.run(phaseCall([0])))[0]?.lost).toBeUndefined();
  });

  it("runs alone from its first strike on", async () => {
    const moody =
      "{ run: (m) => { if (m.stores[m.unit]?.state.mood === 'bad') for (;;); return { writes: { annotations: { together: m.units } } }; } }";
    const program = await openSandbox().load(unitsOf([fine, moody, fine], { sliceMs: 10 }, "rule"));
    const togetherIn = async (mood: string): Promise<unknown> =>
      (await program.run(phaseCall([0, 1, 2], { phase: "rule", stores: () => ({ state: { mood }, locals: {} }) }))).map(
        ({ writes, lost }) => lost ?? writes?.annotations?.["together"],
      );
    expect(await togetherIn("good")).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(await togetherIn("bad")).toEqual([[0], "killed", [2]]);
    expect(await togetherIn("good")).toEqual([[0], [1], [2]]);
  });
});
