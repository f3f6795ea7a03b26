import { describe, expect, it } from "vitest";
import type { OperationResult } from "../../../core/sandbox/protocol.ts";
import { openSandbox, phaseCall, streamCall, unitsOf } from "../../helpers/sandboxes.ts";

const fine = "{ run: (m, host) => ({ writes: { annotations: { pid: host.pid } } }) }";
const hangs = "{ run: () => { for (;;); } }";
const dies = "{ run: () => process.abort() }";
const limits = { sliceMs: 20 };

describe("a host that is killed for a call", () => {
  it("costs the culprit its outcome, and nobody else", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([hangs, fine], limits));
    const [culprit, ...innocent] = await Promise.all([
      program.run(phaseCall([0])),
      ...Array.from({ length: 20 }, () => program.run(phaseCall([1]))),
    ]);
    expect(culprit).toEqual([{ unit: 0, us: 0, lost: "killed" }]);
    expect(innocent.flat().map(({ lost, error }) => lost ?? error)).toEqual(innocent.map(() => undefined));
    expect(sandbox.status().kills).toBe(1);
  });

  it("loses the one hook that had begun; the ones before and behind it are run", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([fine, hangs, fine], limits));
    const outcomes = await program.run(phaseCall([0, 1, 2]));
    expect(outcomes.map(({ unit, lost }) => [unit, lost])).toEqual([
      [0, undefined],
      [1, "killed"],
      [2, undefined],
    ]);
  });

  it("is repeated rule by rule when it was one of several", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([fine, hangs, "{ run: () => ({ verdict: true }) }"], limits, "rule"));
    const outcomes = await program.run(phaseCall([0, 1, 2], { phase: "rule" }));
    expect(outcomes.map(({ unit, lost, verdict }) => [unit, lost, verdict])).toEqual([
      [0, undefined, undefined],
      [1, "killed", undefined],
      [2, undefined, true],
    ]);
    expect(sandbox.status().kills).toBe(2);
  });

  it("is killed also when it waits without using the processor", async () => {
    const sleeps = "{ run: () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); } }";
    const program = await openSandbox().load(unitsOf([sleeps], limits));
    expect(await program.run(phaseCall([0]))).toEqual([{ unit: 0, us: 0, lost: "killed" }]);
  });

  it("may take longer for a larger body", async () => {
    const slow = "{ run: () => { const end = performance.now() + 250; while (performance.now() < end); return {}; } }";
    const program = await openSandbox().load(unitsOf([slow], limits));
    const body = { shape: { keys: [], lengths: {} }, bodyBytes: 30 * 1024 ** 2, part: () => undefined };
    expect(await program.run(phaseCall([0], { body }))).toEqual([{ unit: 0, us: 1 }]);
  });
});

describe("a host that dies", () => {
  it("is no loss for what it was at work on when it is ended from outside", async () => {
    // It dies in the first host only: the program of the second one is run in a process that lives longer.
    const sandbox = openSandbox();
    const program = await sandbox.load(
      unitsOf(["{ run: (m, host) => { if (m.stores[m.unit].state.pid === host.pid) process.abort(); return {}; } }"]),
    );
    const pid = sandbox.status().active?.pid ?? 0;
    const call = phaseCall([0], { stores: () => ({ state: { pid }, locals: {} }) });
    expect(await program.run(call)).toEqual([{ unit: 0, us: 1 }]);
    expect(program.quarantined(0)).toBeUndefined();
  });

  it("is laid to a unit that takes two of them down", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([fine, dies, fine]));
    const outcomes = await program.run(phaseCall([0, 1, 2]));
    expect(outcomes.map(({ lost }) => lost)).toEqual([undefined, "crashed", undefined]);
    expect(sandbox.status().crashes).toBe(2);
  });

  it("is laid to the one rule of several that takes two of them down", async () => {
    const program = await openSandbox().load(unitsOf([fine, dies, fine], {}, "rule"));
    const outcomes = await program.run(phaseCall([0, 1, 2], { phase: "rule" }));
    expect(outcomes.map(({ lost }) => lost)).toEqual([undefined, "crashed", undefined]);
  });

  it.each([
    ["bytes that are no frame", "host.raw('this is not a frame')"],
    ["an answer to nothing", "host.send({ type: 'done', id: 4711, outcomes: [] })"],
    ["a second ready", "host.send({ type: 'ready', pid: 1 })"],
    ["something else", "host.send(null)"],
    ["outcomes of another unit", "host.send({ type: 'done', id: m.id, outcomes: [{ unit: 1 }] })"],
    ["no outcome", "host.send({ type: 'done', id: m.id, outcomes: [] })"],
    ["an answer of another kind", "host.send({ type: 'loaded', id: m.id, units: [] })"],
    ["parts of what is no body", "host.send({ type: 'need', id: m.id, unit: m.unit, parts: [['messages', 1]] })"],
  ])("is ended when it sends %s", async (_what, send) => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([`{ run: (m, host) => { ${send}; return { silent: true }; } }`, fine]));
    const [outcomes, innocent] = await Promise.all([program.run(phaseCall([0])), program.run(phaseCall([1]))]);
    expect(outcomes).toEqual([{ unit: 0, us: 0, lost: "crashed" }]);
    expect(innocent[0]?.lost).toBeUndefined();
    expect(sandbox.status().crashes).toBeGreaterThanOrEqual(2);
  });
});

describe("operations of a run whose host is lost", () => {
  const asks = `{ run: (m, host) => ({
    operations: [{ seq: 0, op: "kv.get", key: "a" }],
    resume: (results) => ({ writes: { annotations: { results, pid: host.pid } } }),
  }) }`;

  it("are performed once, and the repeated run has their results", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([asks]));
    let performed = 0;
    let finish: (result: OperationResult) => void = () => undefined;
    const begun = Promise.withResolvers<void>();
    const outcome = program.run(
      phaseCall([0], {
        operations: {
          run() {
            performed++;
            begun.resolve();
            return new Promise((resolve) => (finish = resolve));
          },
        },
      }),
    );
    await begun.promise;
    const first = sandbox.status().active?.pid ?? 0;
    process.kill(first, "SIGKILL");
    // Asked of another host, so the first one's run is over.
    await program.run(phaseCall([0], { operations: { run: (_unit, { seq }) => Promise.resolve({ seq, ok: true, value: [] }) } }));
    finish({ seq: 0, ok: true, value: ["once"] });
    const annotations = (await outcome)[0]?.writes?.annotations;
    expect(annotations?.["results"]).toEqual([{ seq: 0, ok: true, value: ["once"] }]);
    expect(annotations?.["pid"]).not.toBe(first);
    expect(performed).toBe(1);
  });

  it("make it fail when the repeated run asks for something else", async () => {
    const fickle = asks.replace('key: "a"', "key: String(host.pid)");
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([fickle]));
    const begun = Promise.withResolvers<void>();
    const outcome = program.run(
      phaseCall([0], {
        operations: {
          run() {
            begun.resolve();
            return new Promise(() => undefined);
          },
        },
      }),
    );
    await begun.promise;
    process.kill(sandbox.status().active?.pid ?? 0, "SIGKILL");
    const [result] = await outcome;
    expect(result?.error?.kind).toBe("invalid");
    expect(result?.error?.message).toMatch(/it asked for .* where it had asked for /);
  });
});

describe("a unit that goes on after it has waited", () => {
  const waitsThen = (then: string): string =>
    `{ run: (m, host) => ({ operations: [{ seq: 0, op: "kv.get", key: "a" }], resume: () => { ${then} } }) }`;

  it("is the one that is laid the blame, not the one before it", async () => {
    const program = await openSandbox().load(unitsOf([fine, waitsThen("for (;;);"), fine], limits));
    const operations = { run: (_unit: number, { seq }: { readonly seq: number }) => Promise.resolve({ seq, ok: true as const, value: 1 }) };
    const outcomes = await program.run(phaseCall([0, 1, 2], { operations }));
    expect(outcomes.map(({ lost }) => lost)).toEqual([undefined, "killed", undefined]);
    expect(program.quarantined(0)).toBeUndefined();
  });
});

describe("a host that says for ever that it begins something", () => {
  it("is ended", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(
      unitsOf(["{ run: (m, host) => { for (;;) host.send({ type: 'progress', id: m.id, unit: m.unit }); } }", fine], limits),
    );
    const [outcomes, innocent] = await Promise.all([program.run(phaseCall([0])), program.run(phaseCall([1]))]);
    expect(outcomes).toEqual([{ unit: 0, us: 0, lost: "crashed" }]);
    expect(innocent[0]?.lost).toBeUndefined();
  });
});

describe("a fault of the caller", () => {
  it("is the caller's to hear of, and nobody else's", async () => {
    const program = await openSandbox().load(unitsOf([fine]));
    const stores = (): never => {
      throw new Error("no stores");
    };
    await expect(program.run(phaseCall([0], { stores }))).rejects.toThrow("no stores");
    await expect(program.openStream(streamCall([0], { stores })).push(["1"])).rejects.toThrow("no stores");
    expect((await program.run(phaseCall([0])))[0]?.lost).toBeUndefined();
  });
});
