import { expect, test } from "vitest";

import { Annotations } from "../../core/annotations.ts";

test("annotations are kept under their names, the last one of each", () => {
  const annotations = new Annotations();
  annotations.set("a", 1);
  annotations.set("a", { deep: [2] });
  annotations.set("constructor", null);
  expect([...annotations.values]).toEqual([
    ["a", { deep: [2] }],
    ["constructor", null],
  ]);
});

test("annotations beyond 32 are dropped, and the ones that are there may still change", () => {
  const annotations = new Annotations();
  for (let index = 0; index < 40; index++) annotations.set(`k${index}`, index);
  annotations.set("k0", "changed");
  expect(annotations.values.size).toBe(32);
  expect([annotations.values.get("k0"), annotations.values.get("k31"), annotations.values.get("k32")]).toEqual(["changed", 31, undefined]);
});

test("annotations take 16 KiB in all, however often they change", () => {
  const annotations = new Annotations();
  for (let round = 0; round < 100; round++) {
    for (let index = 0; index < 32; index++) annotations.set(`k${index}`, "x".repeat((round * 37) % 4000));
    expect(JSON.stringify(Object.fromEntries(annotations.values)).length).toBeLessThan(17_000);
  }
  annotations.set("k0", "short again");
  expect(annotations.values.get("k0")).toBe("short again");
});
