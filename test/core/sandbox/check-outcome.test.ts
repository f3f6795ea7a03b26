import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readOutcomes } from "../../../core/sandbox/check-outcome.ts";
import type { UnitOutcome } from "../../../core/sandbox/protocol.ts";

const parse = (text: string): unknown => JSON.parse(text);

/** What is read of one outcome with these fields. */
function read(fields: Record<string, unknown>, phase: "rule" | "preCall" = "preCall"): UnitOutcome {
  const outcomes = readOutcomes([{ unit: 3, us: 12, ...fields }], [3], phase, 100);
  if (typeof outcomes === "string" || outcomes[0] === undefined) throw new Error(JSON.stringify(outcomes));
  return outcomes[0];
}

describe("outcomes", () => {
  it.each([
    ["a verdict", "rule", { verdict: "fast" }],
    ["no match", "rule", { verdict: false }],
    ["a text as reply", "preCall", { decision: { kind: "respond", reply: "hello" } }],
    [
      "blocks as reply",
      "preCall",
      { decision: { kind: "respond", reply: { content: [{ type: "text", text: "a" }], stop_reason: "end_turn" } } },
    ],
    ["a refusal", "preCall", { decision: { kind: "deny", status: 429, message: "later" } }],
    [
      "a patch",
      "preCall",
      {
        patch: {
          o: {
            messages: { a: [[0, 3], [4, { o: { content: { v: '"x"' } } }], { v: "{}" }] },
            tools: null,
            system: { e: { 0: { v: "1" } } },
          },
        },
      },
    ],
    [
      "headers",
      "preCall",
      {
        headers: [
          ["x-a", "1"],
          ["anthropic-beta", null],
        ],
      },
    ],
    [
      "writes",
      "preCall",
      {
        writes: {
          state: { a: [1], b: null },
          locals: {},
          annotations: { c: "d" },
          logs: [{ level: "info", text: "hi" }],
          kv: [
            { op: "set", key: "k", value: null },
            { op: "delete", key: "k" },
            { op: "append", key: "l", line: 1 },
          ],
        },
      },
    ],
    [
      "an error with what was logged",
      "preCall",
      { error: { name: "TypeError", message: "m", stack: "s", kind: "threw" }, writes: { logs: [{ level: "error", text: "why" }] } },
    ],
  ] as const)("keep %s", (_what, phase, fields) => {
    expect(read(fields, phase)).toEqual({ unit: 3, us: 12, ...fields });
  });

  it.each([
    ["verdict", "rule", { verdict: 1 }],
    ["verdict", "rule", { verdict: "x".repeat(201) }],
    ["decision", "preCall", { decision: "deny" }],
    ["decision.kind", "preCall", { decision: { kind: "allow" } }],
    ["decision.status", "preCall", { decision: { kind: "deny", status: 200, message: "" } }],
    ["decision.status", "preCall", { decision: { kind: "deny", status: "403", message: "" } }],
    ["decision.status", "preCall", { decision: { kind: "deny", status: 600, message: "" } }],
    ["decision.message", "preCall", { decision: { kind: "deny", status: 403, message: {} } }],
    ["decision.reply", "preCall", { decision: { kind: "respond", reply: 7 } }],
    ["decision.reply.content", "preCall", { decision: { kind: "respond", reply: { content: "text" } } }],
    ["decision.reply.content", "preCall", { decision: { kind: "respond", reply: { content: ["text"] } } }],
    ["decision.reply.stop_reason", "preCall", { decision: { kind: "respond", reply: { content: [], stop_reason: 1 } } }],
    ["patch", "preCall", { patch: "x" }],
    ["patch", "preCall", { patch: {} }],
    ["patch", "preCall", { patch: { v: "1", o: {} } }],
    ["patch.model", "preCall", { patch: { o: { model: 1 } } }],
    ["patch.__proto__", "preCall", { patch: parse('{"o":{"__proto__":{"v":"1"}}}') }],
    ["patch[x]", "preCall", { patch: { e: { x: { v: "1" } } } }],
    ["patch[-1]", "preCall", { patch: { e: { "-1": { v: "1" } } } }],
    ["patch[0]", "preCall", { patch: { a: [[3, 1]] } }],
    ["patch[0]", "preCall", { patch: { a: [[-1, 1]] } }],
    ["patch[1]", "preCall", { patch: { a: [[0, 0], { o: {} }] } }],
    ["headers", "preCall", { headers: {} }],
    ["headers", "preCall", { headers: Array.from({ length: 65 }, () => ["x-a", "1"]) }],
    ["headers[0]", "preCall", { headers: [["x a", "1"]] }],
    ["headers[0]", "preCall", { headers: ["x-a"] }],
    ['headers["Authorization"]', "preCall", { headers: [["Authorization", "Bearer x"]] }],
    ['headers["host"]', "preCall", { headers: [["host", "evil"]] }],
    ['headers["content-length"]', "preCall", { headers: [["content-length", null]] }],
    ['headers["x-a"]', "preCall", { headers: [["x-a", "1\r\nx-b: 2"]] }],
    ['headers["x-a"]', "preCall", { headers: [["x-a", "1\u0000"]] }],
    ['headers["x-a"]', "preCall", { headers: [["x-a", "x".repeat(8193)]] }],
    ["writes", "preCall", { writes: [] }],
    ["writes.state", "preCall", { writes: { state: [] } }],
    ["writes.state", "preCall", { writes: { state: { a: "x".repeat(128 * 1024) } } }],
    ['writes.state["__proto__"]', "preCall", { writes: parse('{"state":{"__proto__":1}}') }],
    ["writes.annotations", "preCall", { writes: { annotations: { a: "x".repeat(4096) } } }],
    ["writes.logs", "preCall", { writes: { logs: "x" } }],
    ["writes.logs[0]", "preCall", { writes: { logs: [{ level: "shout", text: "x" }] } }],
    ["writes.logs", "preCall", { writes: { logs: [{ level: "info", text: "x".repeat(64 * 1024) }] } }],
    ["writes.kv[0]", "preCall", { writes: { kv: [{ op: "drop", key: "a" }] } }],
    ["writes.kv[0].key", "preCall", { writes: { kv: [{ op: "set", key: 1, value: 1 }] } }],
  ] as const)("are an error that names %s when it is wrong", (path, phase, fields) => {
    const outcome = read(fields, phase);
    expect(outcome.error?.kind).toBe("invalid");
    expect(outcome.error?.message.startsWith(`${path} `), outcome.error?.message).toBe(true);
    expect(Object.keys(outcome).sort()).toEqual(["error", "unit", "us"]);
  });

  it("are an error when a patch is nested too deep or the whole is too large", () => {
    let patch: unknown = { v: "1" };
    for (let depth = 0; depth < 5000; depth++) patch = { o: { a: patch } };
    expect(read({ patch }).error?.kind).toBe("invalid");
    const outcomes = readOutcomes([{ unit: 0 }], [0], "preCall", 33 * 1024 * 1024);
    expect(outcomes).toEqual([{ unit: 0, us: 0, error: expect.objectContaining({ kind: "invalid" }) }]);
  });

  it("have nothing that has no place in the phase", () => {
    expect(read({ verdict: true, patch: { v: "1" } }, "rule")).toEqual({ unit: 3, us: 12, verdict: true });
    expect(read({ verdict: true, extra: 1 })).toEqual({ unit: 3, us: 12 });
  });

  it("shorten what a host may make as long as it likes", () => {
    const { error } = read({ error: { name: "n".repeat(1e5), message: "m".repeat(1e5), stack: "s".repeat(1e5), kind: "odd" } });
    expect(error).toEqual({ name: "n".repeat(200), message: "m".repeat(4000), stack: "s".repeat(4000), kind: "threw" });
  });

  it.each([[[]], [{}], [[{ unit: 1 }]], [[{ unit: 0 }, { unit: 1 }, { unit: 2 }]], [[null]], ["x"]])("of %j are no outcomes", (value) => {
    expect(readOutcomes(value, [0, 1], "preCall", 10)).toBeTypeOf("string");
  });

  it("never throw, whatever a host sends", () => {
    const field = fc.constantFrom("verdict", "decision", "patch", "headers", "writes", "error", "us");
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), fc.constantFrom("rule" as const, "preCall" as const), (fields, phase) => {
        expect(readOutcomes([{ ...fields, unit: 0 }], [0], phase, 10)).toHaveLength(1);
      }),
    );
  });
});
