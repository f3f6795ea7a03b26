import vm from "node:vm";
import { expect, test } from "vitest";
import { createStackMapper, mapUnitError } from "../../../core/user-code/source-map.ts";
import type { UserUnit } from "../../../core/user-code/types.ts";
import { makeFolder } from "./folder.ts";

/** Runs the unit as a sandbox does, by way of eval, and calls its default export's `evaluate`. */
function errorOf({ code, file }: UserUnit, runtimeFile = "ccproxy:runtime"): Error {
  const source = JSON.stringify(`${code}\n;__exports;\n//# sourceURL=${file.replaceAll(/\s/g, "_")}`);
  const script = `(function runtime() { try { (0, eval)(${source}).default.evaluate({}); } catch (error) { return error; } })()`;
  return vm.runInContext(script, vm.createContext({}), { filename: runtimeFile }) as Error;
}

const throwing = {
  "rules/deep rule.ts": `import { defineRule } from "ccproxy/sdk";
import { fail } from "./lib/_fail.ts";

interface Unused {
  readonly only: "types";
}
export type Never = Unused;

export default defineRule(() => {
  const key: string = "sk-ant-api03-AAAABBBBCCCCDDDD"; return [1].map(() => fail(key)).length > 0;
});
`,
  "rules/lib/_fail.ts": `type A = string;
/* lines
   before */
export function fail(text: A): never { throw new TypeError("no " + text.length); }
`,
};

test("an error leads to the user's TypeScript, frames of the runtime are dropped", async () => {
  await using folder = await makeFolder(throwing);
  const { units } = await folder.load();
  const unit = units[0]!;
  const error = errorOf(unit);
  expect(error.stack).toContain("ccproxy:runtime");
  const mapped = createStackMapper(unit.map, unit.file)(error.stack ?? "");
  expect(mapped).toBe(`TypeError: no 29
    at fail (rules/lib/_fail.ts:4:46)
    at rules/deep rule.ts:10:77
    at evaluate (rules/deep rule.ts:10:67)`);
});

test("the position of an error is a file on the disk, its frame masks credentials", async () => {
  await using folder = await makeFolder(throwing);
  const { units } = await folder.load();
  const unit = units[0]!;
  const { name, message, stack = "" } = errorOf(unit);
  const mapped = mapUnitError(unit, { name, message, stack });
  expect(mapped).toMatchObject({
    message: "TypeError: no 29",
    position: { file: folder.path("rules/lib/_fail.ts"), line: 4, column: 46 },
    frame: `  4 | export function fail(text: A): never { throw new TypeError("no " + text.length); }
    |                                              ^`,
  });
  const own = mapUnitError(unit, { name, message, stack: stack.replace(/^.*\n.*\n/, "") });
  expect(own.position).toEqual({ file: folder.path("rules/deep rule.ts"), line: 10, column: 77 });
  expect(own.frame).not.toContain("api03");
  const [code = "", caret = ""] = own.frame.split("\n");
  expect(code.slice(caret.indexOf("^"))).toMatch(/^fail\(key\)/);
});

test("an error without a frame of the bundle has a message and nothing else", async () => {
  await using folder = await makeFolder(throwing);
  const { units } = await folder.load();
  const stack = "    at runtime (ccproxy:runtime:1:2)\n    at Array.map (<anonymous>)";
  expect(mapUnitError(units[0]!, { name: "Error", message: "Bearer abcdefghijkl", stack })).toEqual({
    message: "Error: …",
    position: undefined,
    stack: "",
    frame: "",
  });
});

test("a stack of any length comes out short, and a map is not read before it is needed", async () => {
  const map = createStackMapper("not JSON", "rules/a.ts");
  expect(map("Error: x\n    at f (ccproxy:runtime:1:1)")).toBe("Error: x");
  expect(map("y\n".repeat(100_000)).length).toBeLessThanOrEqual(4000);
  await using folder = await makeFolder(throwing);
  const { units } = await folder.load();
  const unit = units[0]!;
  const stack = `Error: x\n${"    at f (rules/deep_rule.ts:40:5)\n".repeat(500)}`;
  expect(
    createStackMapper(
      unit.map,
      unit.file,
    )(stack)
      .split("\n")
      .filter((line) => line.startsWith("    at ")).length,
  ).toBeLessThanOrEqual(16);
});
