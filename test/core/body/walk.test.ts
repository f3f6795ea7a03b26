import { describe, expect, it } from "vitest";
import { viewBytes } from "../../../core/body/byte-view.ts";
import { findJump } from "../../../core/body/jumps.ts";
import { scanBody } from "../../../core/body/scan.ts";
import { walkElements, walkMembers } from "../../../core/body/walk.ts";

describe("a walk", () => {
  const long = "x".repeat(200);
  const text = JSON.stringify({ messages: [{ role: "user", text: long }, [long, [long]], long, { short: 1, text: long }] });
  const view = viewBytes(Buffer.from(text));
  const { fields, jumps } = scanBody(view);
  const messages = { start: fields.starts[0]!, end: fields.ends[0]! };

  it("does not read the inside of long strings and containers again", () => {
    const before = walkElements(view, jumps, messages);
    const members = before.map((span) => [...walkMembers(view, jumps, span)]);
    const ruined = Buffer.from(text.replaceAll(long, `${'"]}'.repeat(66)}xx`));
    const ruinedView = viewBytes(ruined);
    expect(walkElements(ruinedView, jumps, messages)).toEqual(before);
    expect(before.map((span) => [...walkMembers(ruinedView, jumps, span)])).toEqual(members);
    expect(members.map((each) => each.map(([name]) => name))).toEqual([["role", "text"], [], [], ["short", "text"]]);
    const inner = walkElements(ruinedView, jumps, before[1]!);
    expect(inner).toHaveLength(2);
    expect(walkElements(ruinedView, jumps, inner[1]!)).toHaveLength(1);
  });

  it("finds the same without any jumps", () => {
    const none = new Int32Array(0);
    const elements = walkElements(view, jumps, messages);
    expect(walkElements(view, none, messages)).toEqual(elements);
    for (const span of elements) expect(walkMembers(view, none, span)).toEqual(walkMembers(view, jumps, span));
  });

  it("short values are not remembered", () => {
    const { jumps } = scanBody(viewBytes(Buffer.from(JSON.stringify({ a: Array.from({ length: 1000 }, () => ["short", { b: [] }]) }))));
    expect(jumps).toHaveLength(2);
  });
});

describe("the search for a jump", () => {
  it("gives the index of the first pair that starts at the offset or behind it", () => {
    const jumps = Int32Array.of(10, 100, 20, 90, 200, 300);
    expect([0, 10, 11, 20, 21, 200, 201].map((offset) => findJump(jumps, offset))).toEqual([0, 0, 2, 2, 4, 4, 6]);
    expect(findJump(new Int32Array(0), 5)).toBe(0);
  });
});
