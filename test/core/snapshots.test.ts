import { describe, expect, it } from "vitest";
import type { Fault, LoadedConfig } from "../../core/config/types.ts";
import { createRegistry } from "../../core/registry.ts";
import { type BuiltSnapshot, buildSnapshot } from "../../core/snapshot.ts";
import { Snapshots } from "../../core/snapshots.ts";
import { createUserCodeRuntime } from "../../core/user-code-runtime.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import type { LogFields, Logger } from "../../sdk/log.ts";
import { loadedConfig, makeConfig, nowhere, ruleEntry } from "../helpers/config.ts";
import { silent } from "../helpers/silent.ts";

const registry = createRegistry(builtinPlugins);
const fault: Fault = { severity: "error", message: "it is broken", ...nowhere };
const broken: LoadedConfig = { ...loadedConfig(), config: undefined, faults: [fault] };
const withGrace = (graceMs: number, faults: readonly Fault[] = []): LoadedConfig => {
  return { ...loadedConfig({ server: { ...makeConfig().server, graceMs } }), faults };
};

/** A logger that keeps what it is told. */
function keepLog(): { readonly lines: { level: string; fields: LogFields; message: string }[]; readonly logger: Logger } {
  const lines: { level: string; fields: LogFields; message: string }[] = [];
  const at =
    (level: string) =>
    (fields: LogFields, message = ""): void =>
      void lines.push({ level, fields, message });
  return { lines, logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

const userCode = createUserCodeRuntime({ registry, environment: {}, logger: silent });
const build = (loaded: LoadedConfig, id: number, now: Date): Promise<BuiltSnapshot> =>
  buildSnapshot(loaded, { registry, ...userCode }, id, now);

async function snapshotsOf(load: () => Promise<LoadedConfig>): Promise<Snapshots> {
  const { snapshot } = await build(withGrace(0), 1, new Date());
  if (snapshot === undefined) throw new Error("the first configuration is broken");
  return new Snapshots(snapshot, [], { load, build });
}

describe("a reload", () => {
  it("puts what it read in the place of what was", async () => {
    const { logger, lines } = keepLog();
    const snapshots = await snapshotsOf(async () => withGrace(7));
    const before = snapshots.current;
    await snapshots.reload(logger);
    expect([before.id, before.config.server.graceMs]).toEqual([1, 0]);
    expect([snapshots.current.id, snapshots.current.config.server.graceMs]).toEqual([2, 7]);
    expect(lines.map(({ level, message }) => [level, message])).toEqual([["info", "configuration reloaded"]]);
  });

  it("of something broken keeps what was, says why, and forgets it with the next good one", async () => {
    const { logger, lines } = keepLog();
    const loads = [broken, withGrace(8)];
    const snapshots = await snapshotsOf(async () => loads.shift() ?? broken);
    await snapshots.reload(logger);
    expect([snapshots.current.id, snapshots.rejected?.faults]).toEqual([1, broken.faults]);
    expect(lines).toMatchObject([{ level: "error", fields: { faults: broken.faults, inForce: 1 } }]);
    await snapshots.reload(logger);
    expect([snapshots.current.id, snapshots.current.config.server.graceMs, snapshots.rejected]).toEqual([2, 8, undefined]);
  });

  it("says what waits for the next start, and no longer when it was taken back", async () => {
    const { logger } = keepLog();
    const { server, log } = makeConfig();
    const loads = [loadedConfig({ server: { ...server, port: 4111 }, log: { ...log, keep: 9 } }), loadedConfig()];
    const snapshots = await snapshotsOf(async () => loads.shift() ?? broken);
    await snapshots.reload(logger);
    expect(snapshots.current.faults.map(({ path, message }) => [path, message])).toEqual([
      ["port", expect.stringContaining("next start; until then it is 4000")],
      ["log.keep", expect.stringContaining("next start; until then it is 1")],
    ]);
    await snapshots.reload(logger);
    expect(snapshots.current.faults).toEqual([]);
  });

  it("whose rules cannot be built keeps what was", async () => {
    const { logger } = keepLog();
    const snapshots = await snapshotsOf(async () => loadedConfig({ rules: [ruleEntry("label", "ccproxy.rules.NoSuchRule")] }));
    await snapshots.reload(logger);
    expect(snapshots.current.id).toBe(1);
    expect(snapshots.rejected?.faults.some(({ message }) => message.includes("NoSuchRule"))).toBe(true);
  });

  it("that throws keeps what was, and says so", async () => {
    const { logger, lines } = keepLog();
    let shouldThrow = true;
    const snapshots = await snapshotsOf(async () => {
      if (shouldThrow) throw new Error("the disk is gone");
      return withGrace(9);
    });
    await snapshots.reload(logger);
    expect([snapshots.current.id, lines[0]?.level]).toEqual([1, "error"]);
    expect(snapshots.rejected?.faults).toMatchObject([{ severity: "error", message: expect.stringContaining("the disk is gone") }]);
    shouldThrow = false;
    await snapshots.reload(logger);
    expect([snapshots.current.config.server.graceMs, snapshots.rejected]).toEqual([9, undefined]);
  });

  it("waits for the one before it, so that what was read last is in force", async () => {
    const { logger } = keepLog();
    const first = Promise.withResolvers<LoadedConfig>();
    const loads: Promise<LoadedConfig>[] = [first.promise, Promise.resolve(withGrace(2))];
    const begun = Promise.withResolvers<void>();
    let reading = 0;
    const snapshots = await snapshotsOf(() => {
      reading++;
      begun.resolve();
      return loads[reading - 1] ?? Promise.resolve(broken);
    });
    const one = snapshots.reload(logger);
    await begun.promise;
    const two = snapshots.reload(logger);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(reading).toBe(1);
    first.resolve(withGrace(1));
    await Promise.all([one, two]);
    expect([reading, snapshots.current.id, snapshots.current.config.server.graceMs]).toEqual([2, 3, 2]);
  });

  it("asked for a thousand times while one is under way happens once more (N43)", async () => {
    const { logger } = keepLog();
    const first = Promise.withResolvers<LoadedConfig>();
    const begun = Promise.withResolvers<void>();
    let reading = 0;
    const snapshots = await snapshotsOf(() => {
      begun.resolve();
      return ++reading === 1 ? first.promise : Promise.resolve(withGrace(reading));
    });
    const asked = [snapshots.reload(logger)];
    await begun.promise;
    for (let count = 1; count <= 1000; count++) asked.push(snapshots.reload(logger));
    first.resolve(withGrace(1));
    await Promise.all(asked);
    expect([reading, snapshots.current.id, snapshots.current.config.server.graceMs]).toEqual([2, 3, 2]);
    await snapshots.reload(logger);
    expect([reading, snapshots.current.config.server.graceMs]).toEqual([3, 3]);
  });
});

describe("what is wrong with a configuration", () => {
  const rules = [ruleEntry("no-such-label"), ruleEntry("default", "ccproxy.rules.ThinkinRule")];
  const messages = async (loaded: LoadedConfig): Promise<readonly string[]> =>
    (await build(loaded, 1, new Date())).faults.map(({ message }) => message);

  it("is said all at once, the rules' part too when the files have errors of their own", async () => {
    const said = await messages({ ...loadedConfig({ rules }), config: undefined, faults: [fault] });
    expect(said).toEqual([
      "it is broken",
      expect.stringContaining('"no-such-label"'),
      expect.stringContaining('"default"'),
      expect.stringContaining('Did you mean "ThinkingRule"?'),
    ]);
  });

  it("does not blame a label on an entry that could not be read", async () => {
    const entry: Fault = { ...fault, path: "model_list[0].model_name" };
    expect(await messages({ ...loadedConfig({ rules }), config: undefined, faults: [entry] })).toEqual([
      "it is broken",
      expect.stringContaining("ThinkinRule"),
    ]);
  });
});
