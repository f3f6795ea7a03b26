import { describe, expect, test } from "vitest";

import { bySpecificity, createPattern, fillPattern } from "../../../core/routing/pattern.ts";

describe("a wildcard name", () => {
  test.each([
    ["*", "anything", ["anything"]],
    ["anthropic/*", "anthropic/claude-x", ["claude-x"]],
    ["anthropic/*", "openai/gpt", undefined],
    ["claude-*", "claude-", [""]],
    ["claude-*-latest", "claude-opus-latest", ["opus"]],
    ["claude-*-latest", "claude-latest", undefined],
    ["a*b*c", "a1b2c", ["1", "2"]],
    ["a*b*c", "a1c", undefined],
    ["gpt.4*", "gpt-4o", undefined],
    ["aa*aa", "aaa", undefined],
  ])("%s and %s give %j", (pattern, name, captured) => {
    expect(createPattern(pattern).match(name)).toEqual(captured);
  });

  test("fills the stars of another text in order, and a missing one with nothing", () => {
    expect(fillPattern("x/*-*", ["a", "b"])).toBe("x/a-b");
    expect(fillPattern("x/*-*", ["a"])).toBe("x/a-");
    expect(fillPattern("plain", ["a"])).toBe("plain");
  });

  test("is tried after more specific ones", () => {
    const names = ["*", "claude-*", "claude-opus-*"].map((text) => ({ text }));
    expect(names.toSorted(bySpecificity).map(({ text }) => text)).toEqual(["claude-opus-*", "claude-*", "*"]);
  });

  test("takes linear time on a hostile name", () => {
    const pattern = createPattern(`${"a*".repeat(50)}b`);
    expect(pattern.match("a".repeat(100_000))).toBeUndefined();
  });
});
