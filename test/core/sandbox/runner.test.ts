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
