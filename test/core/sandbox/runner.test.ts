import { describe, expect, it } from "vitest";
import type { Operation } from "../../../core/sandbox/protocol.ts";
import { bodyOf, openSandbox, phaseCall, unitsOf } from "../../helpers/sandboxes.ts";

describe("a run", () => {
  it("gives the outcomes of all units in their order", async () => {
    const program = await openSandbox().load(unitsOf(["{ run: () => ({ writes: { annotations: { a: 1 } } }) }", "{ run: () => ({}) }"]));
    expect(await program.run(phaseCall([0, 1]))).toEqual([
      { unit: 0, us: 1, writes: { annotations: { a: 1 } } },
      { unit: 1, us: 1 },
    ]);
  });

  it("ends with the first unit that changes something", async () => {
    const program = await openSandbox().load(unitsOf(['{ run: () => ({ patch: { o: { model: { v: "1" } } } }) }', "{ run: () => ({}) }"]));
    const outcomes = await program.run(phaseCall([0, 1]));
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]?.patch).toEqual({ o: { model: { v: "1" } } });
  });

  it("brings the parts that a unit lacks, and at once the next time", async () => {
    const code = `{ run: (m) => m.parts.length === 0 ? { need: [["model", -1], ["messages", 2]] } : { writes: { annotations: { got: m.bodies, parts: m.parts.map((p) => p.slice(0, 2)) } } } }`;
    const program = await openSandbox().load(unitsOf([code]));
    const [first] = await program.run(phaseCall([0], { body: bodyOf({ model: "m", messages: ["a", "b", "c"] }) }));
    expect(first?.writes?.annotations).toEqual({
      got: ['"m"', '"c"'],
      parts: [
        ["model", -1],
        ["messages", 2],
      ],
    });
    const [second] = await program.run(phaseCall([0], { body: bodyOf({ model: "m", messages: ["a", "b", "c", "d", "e"] }) }));
    expect(second?.writes?.annotations?.["got"]).toEqual(['"m"', '"e"']);
  });

  it("performs operations and goes on with their results", async () => {
    const code = `{ run: () => ({
      operations: [{ seq: 0, op: "kv.get", key: "a" }, { seq: 1, op: "kv.get", key: "b" }],
      resume: function again(results) {
        this.seen = [...(this.seen ?? []), ...results];
        return this.seen.length < 2 ? { operations: [], resume: again.bind(this) } : { writes: { annotations: { seen: this.seen } } };
      }.bind({}),
    }) }`;
    const program = await openSandbox().load(unitsOf([code]));
    const asked: [Operation, string][] = [];
    const call = phaseCall([0], {
      operations: {
        run(_unit, operation, key) {
          asked.push([operation, key]);
          return Promise.resolve({ seq: operation.seq, ok: true, value: [operation.seq] });
        },
      },
    });
    const [outcome] = await program.run(call);
    expect(outcome?.writes?.annotations?.["seen"]).toEqual([
      { seq: 0, ok: true, value: [0] },
      { seq: 1, ok: true, value: [1] },
    ]);
    expect(asked.map(([operation]) => operation.seq)).toEqual([0, 1]);
    expect(new Set(asked.map(([, key]) => key)).size).toBe(2);
  });
});

/** Waits for one operation; then does what the test says, also when its time is up. */
const waits = (abort: string): string => `{ run: (m, host) => ({
  operations: [{ seq: 0, op: "kv.get", key: "a" }],
  resume: (results) => ({ writes: { annotations: { results } } }),
  ${abort}
}) }`;
const never = { run: () => new Promise<never>(() => undefined) };

describe("a run that waits", () => {
  it("is told when its time is up, and may still come to a result", async () => {
    const program = await openSandbox().load(
      unitsOf([waits('abort: () => ({ decision: { kind: "deny", status: 503, message: "late" } })')], { timeoutMs: 50 }),
    );
    const [outcome] = await program.run(phaseCall([0], { operations: never }));
    expect(outcome?.decision).toEqual({ kind: "deny", status: 503, message: "late" });
  });

  it("is dropped when it goes on waiting then, and the units around it are run", async () => {
    const fine = "{ run: () => ({}) }";
    const signals: AbortSignal[] = [];
    const program = await openSandbox().load(unitsOf([fine, waits(""), fine], { timeoutMs: 50 }));
    const outcomes = await program.run(
      phaseCall([0, 1, 2], {
        operations: {
          run(_unit, _operation, _key, signal) {
            signals.push(signal);
            return new Promise<never>(() => undefined);
          },
        },
      }),
    );
    expect(outcomes.map(({ lost }) => lost)).toEqual([undefined, "timeout", undefined]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(program.quarantined(1)).toBeUndefined();
  });

  it("is killed when it does not let go when its time is up", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([waits("abort: () => { for (;;); }")], { timeoutMs: 20, sliceMs: 20 }));
    expect((await program.run(phaseCall([0], { operations: never })))[0]?.lost).toBe("killed");
  });

  it("rejects with the reason of its signal, and its operations are told", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([waits("")]));
    const controller = new AbortController();
    const asked = Promise.withResolvers<AbortSignal>();
    const outcome = program.run(
      phaseCall([0], {
        signal: controller.signal,
        operations: {
          run(_unit, _operation, _key, signal) {
            asked.resolve(signal);
            return new Promise<never>(() => undefined);
          },
        },
      }),
    );
    const signal = await asked.promise;
    const gone = new Error("the client has left");
    controller.abort(gone);
    await expect(outcome).rejects.toBe(gone);
    expect(signal.aborted).toBe(true);
    expect(
      await program.run(phaseCall([0], { operations: { run: (_unit, { seq }) => Promise.resolve({ seq, ok: true, value: 1 }) } })),
    ).toHaveLength(1);
  });

  it("rejects at once when its signal has been aborted before", async () => {
    const program = await openSandbox().load(unitsOf([waits("")]));
    await expect(program.run(phaseCall([0], { signal: AbortSignal.abort(new Error("gone")) }))).rejects.toThrow("gone");
  });

  it("gets an operation that failed as its result", async () => {
    const program = await openSandbox().load(unitsOf([waits("")]));
    const [outcome] = await program.run(phaseCall([0], { operations: { run: () => Promise.reject(new Error("no route")) } }));
    expect(outcome?.writes?.annotations?.["results"]).toEqual([{ seq: 0, ok: false, message: "no route" }]);
  });

  it.each([
    ["an operation of no known kind", '[{ seq: 0, op: "spawn" }]'],
    ["one without a number", '[{ seq: -1, op: "kv.get", key: "a" }]'],
    ["a fetch with a body that is no text", '[{ seq: 0, op: "fetch", url: "u", method: "GET", headers: {}, body: 1 }]'],
    ["none", "[]"],
    ["more than anybody needs", 'Array.from({ length: 65 }, (_, seq) => ({ seq, op: "kv.get", key: "a" }))'],
  ])("has an invalid outcome when it asks for %s", async (_what, operations) => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([`{ run: () => ({ operations: ${operations} }) }`, "{ run: () => ({}) }"]));
    const outcomes = await program.run(phaseCall([0, 1], { operations: never }));
    expect(outcomes.map(({ error }) => error?.kind)).toEqual(["invalid", undefined]);
    expect(sandbox.status().crashes).toBe(0);
  });
});

describe("a run that lacks parts of the request", () => {
  const body = bodyOf({ model: "m", messages: Array.from({ length: 50 }, (_, index) => index) });

  it("gets the whole list when it comes back for more of it", async () => {
    const walks = `{ run: (m) => m.parts.some(([, index]) => index < 0) ? { writes: { annotations: { parts: m.parts.map((p) => p.slice(0, 2)) } } } : { need: [["messages", m.parts.length]] } }`;
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([walks]));
    const [outcome] = await program.run(phaseCall([0], { body }));
    expect(outcome?.writes?.annotations?.["parts"]).toEqual([["messages", -1]]);
    const before = sandbox.status().active?.calls ?? 0;
    await program.run(phaseCall([0], { body }));
    expect(sandbox.status().active?.calls).toBe(before + 1);
  });

  it("has an invalid outcome when it never stops asking", async () => {
    const program = await openSandbox().load(
      unitsOf([
        '{ run: () => ({ need: [["model", -1]] }) }',
        '{ run: () => ({ need: [["nothing", -1]] }) }',
        "{ run: () => ({ need: [] }) }",
      ]),
    );
    for (const unit of [0, 1]) {
      const [outcome] = await program.run(phaseCall([unit], { body }));
      expect(outcome?.error?.kind).toBe("invalid");
    }
    expect((await program.run(phaseCall([2], { body })))[0]?.error?.kind).toBe("invalid");
  });

  it("begins again when it is told that its isolate was lost while it waited", async () => {
    const loses = `{ run: (m, host) => host.memory.lost === undefined
      ? { operations: [{ seq: 0, op: "kv.get", key: "a" }], resume: () => { host.memory.lost = true; return { need: [] }; } }
      : { operations: [{ seq: 0, op: "kv.get", key: "a" }], resume: (results) => ({ writes: { annotations: { results } } }) } }`;
    const program = await openSandbox().load(unitsOf([loses]));
    let performed = 0;
    const [outcome] = await program.run(
      phaseCall([0], { operations: { run: (_unit, { seq }) => Promise.resolve({ seq, ok: true, value: ++performed }) } }),
    );
    expect(outcome?.writes?.annotations?.["results"]).toEqual([{ seq: 0, ok: true, value: 1 }]);
    expect(performed).toBe(1);
  });
});
