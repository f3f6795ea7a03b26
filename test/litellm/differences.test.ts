import { describe, expect, test } from "vitest";

import { judge, readDifferences } from "./differences.ts";

const table = ["| case | LiteLLM | ccproxy | why |", "|---|---|---|---|", "| one | `a → 500 server` | `a b → 200` | Better so. |"].join(
  "\n",
);
const listed = readDifferences(table).get("one");

describe("the table of differences", () => {
  test("a row has a case, what either did, and why", () => {
    expect(listed).toEqual({ name: "one", litellm: "a → 500 server", ccproxy: "a b → 200", why: "Better so." });
  });

  test("a row without a reason is refused", () => {
    expect(() => readDifferences(table.replace("Better so.", ""))).toThrow(/a reason/);
  });

  test("a case stands in it once", () => {
    expect(() => readDifferences(`${table}\n${table}`)).toThrow(/"one" is listed twice/);
  });
});

describe("the verdict", () => {
  const did = { litellm: "a → 500 server", ccproxy: "a b → 200" };

  test("the same needs no entry", () => {
    expect(judge({ litellm: "a → 200", ccproxy: "a → 200" }, undefined)).toBeUndefined();
  });

  test("a difference as it is written is right", () => {
    expect(judge(did, listed)).toBeUndefined();
  });

  test("a difference that is not written is wrong", () => {
    expect(judge(did, undefined)).toMatch(/does not say why/);
  });

  test("an entry for what is none any more is wrong", () => {
    expect(judge({ litellm: "a → 200", ccproxy: "a → 200" }, listed)).toMatch(/both do the same/);
  });

  test.each([
    { ...did, litellm: "a → 503 server" },
    { ...did, ccproxy: "b → 200" },
  ])("an entry that tells it otherwise is wrong: $litellm, $ccproxy", (other) => {
    expect(judge(other, listed)).toMatch(/and docs\/litellm-differences.md says/);
  });
});
