import { describe, expect, test } from "vitest";

import { defineHook, defineRule, param } from "../../sdk/index.ts";

const read = defineHook({
  params: {
    name: param.text(),
    size: param.integer({ min: 1, max: 10 }).default(5),
    ratio: param.number().optional(),
    on: param.flag().default(false),
    mode: param.choice("a", "b").default("a"),
    list: param.list(param.text()).default([]),
    limits: param.map(param.integer({ min: 0 })).default({}),
    pattern: param.custom("a pattern", (raw) => (typeof raw === "string" ? new RegExp(raw) : undefined)).optional(),
  },
  preCall: () => undefined,
}).params;

describe("parameters", () => {
  test("are read by name, with what was left out filled in", () => {
    expect(read?.({ name: "x", list: ["y"], limits: { z: 1 }, pattern: "^a" })).toEqual({
      name: "x",
      size: 5,
      ratio: undefined,
      on: false,
      mode: "a",
      list: ["y"],
      limits: { z: 1 },
      pattern: /^a/,
    });
  });

  test("are read by position, in the order of the shape; one value is a list of one", () => {
    expect(read?.(["x", 7, 0.5, true, "b", "only"])).toMatchObject({ name: "x", size: 7, ratio: 0.5, on: true, mode: "b", list: ["only"] });
  });

  test.each([
    [{}, "params.name is missing; wanted a text."],
    [undefined, "params.name is missing; wanted a text."],
    [{ name: "" }, 'params.name is ""; wanted a text.'],
    [{ name: "x", nam: 1 }, "params.nam is not known; known: name, size, ratio, on, mode, list, limits, pattern."],
    [{ name: "x", size: 11 }, "params.size is 11; wanted a whole number from 1 to 10."],
    [{ name: "x", size: 1.5 }, "params.size is 1.5; wanted a whole number from 1 to 10."],
    [{ name: "x", size: "5" }, 'params.size is "5"; wanted a whole number from 1 to 10.'],
    [{ name: "x", ratio: Number.NaN }, "params.ratio is NaN; wanted a number."],
    [{ name: "x", on: "yes" }, 'params.on is "yes"; wanted true or false.'],
    [{ name: "x", mode: "c" }, 'params.mode is "c"; wanted one of a, b.'],
    [{ name: "x", list: ["y", 1] }, "params.list[1] is 1; wanted a text."],
    [{ name: "x", limits: [1] }, "params.limits is a list; wanted a mapping."],
    [{ name: "x", limits: { z: -1 } }, "params.limits.z is -1; wanted a whole number of 0 or more."],
    [{ name: "x", pattern: "(" }, /^params\.pattern: Invalid regular expression/],
    [{ name: "x", pattern: 1 }, "params.pattern is 1; wanted a pattern."],
    [{ name: "y".repeat(100), size: "y".repeat(100) }, `params.size is "${"y".repeat(40)}…"; wanted`],
    [["x", 1, 2, true, "a", [], {}, "", "too many"], "params has 9 values; wanted at most 8 (name, size,"],
    ["text", 'params is "text"; wanted a mapping'],
    [JSON.parse('{"name":"x","__proto__":1}'), "params.__proto__ is not known"],
  ])("%j: %s", (raw, message) => {
    expect(() => read?.(raw)).toThrow(message);
  });

  test("a shape without parameters takes none", () => {
    const none = defineRule({ params: {}, evaluate: () => true }).params;
    expect(none?.({})).toEqual({});
    expect(() => none?.({ a: 1 })).toThrow("params.a is not known; it takes none.");
  });

  test("a definition may read them by a function of its own, or not at all", () => {
    expect(defineRule({ params: (raw) => [raw], evaluate: () => true }).params?.(1)).toEqual([1]);
    expect(defineRule(() => true)).not.toHaveProperty("params");
  });

  test("nothing inherited counts as given", () => {
    const shape = defineHook({ params: { constructor: param.text().optional() }, preCall: () => undefined }).params;
    expect(shape?.({})).toEqual({ constructor: undefined });
  });
});
