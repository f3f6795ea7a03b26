import { expect, test } from "vitest";
import { makeFolder, runUnit } from "./folder.ts";

test("writing the file is enough", async () => {
  await using folder = await makeFolder({
    "rules/vip.ts": `import { defineRule } from "ccproxy/sdk";
import { words } from "./_words.ts";
export default defineRule((request: { model: string }) => words.includes(request.model));`,
    "rules/_words.ts": `export const words: readonly string[] = ["a", "b"];`,
    "hooks/b.js": `export default { preCall() {} };`,
    "hooks/a.mjs": `export default { preCall() {} };`,
  });
  const { units, faults, ignored } = await folder.load();
  expect(folder.show(faults)).toBe("");
  expect(units.map(({ kind, file, origin, exportName }) => [kind, file, origin, exportName])).toEqual([
    ["rule", "rules/vip.ts", "autoloaded", "default"],
    ["hook", "hooks/a.mjs", "autoloaded", "default"],
    ["hook", "hooks/b.js", "autoloaded", "default"],
  ]);
  expect(ignored).toEqual([{ file: "rules/_words.ts", why: "its name begins with _" }]);
  const rule = runUnit(units[0]!)["default"] as { evaluate(request: unknown): boolean };
  expect(rule.evaluate({ model: "a" })).toBe(true);
  expect(rule.evaluate({ model: "c" })).toBe(false);
});

test("all faults of all files come at once, each with the line and a caret", async () => {
  await using folder = await makeFolder({
    "rules/broken.ts": "export default (\n",
    "hooks/imports.ts": `import fs from "node:fs";\nexport default { preCall() { fs.readFileSync("x"); } };\n`,
    "hooks/good.ts": "export default { preCall() {} };",
  });
  const { units, faults } = await folder.load({ hooks: ["hooks.goood.default"] });
  expect(units.map(({ file }) => file)).toEqual(["hooks/good.ts"]);
  expect(folder.show(faults)).toMatchInlineSnapshot(`
    "ccproxy.yaml:200:5: error: hook "hooks.goood.default" cannot be found; looked for hooks/goood.ts, hooks/goood.mts, hooks/goood.js and hooks/goood.mjs in CONFIG, and for the packages "hooks.goood" and "hooks" there and in the folders above. Did you mean "./hooks/good"?
    rules/broken.ts:2:1: error: Unexpected end of file.
    hooks/imports.ts:1:16: error: "node:fs" is a module of Node, which rules and hooks cannot reach: they run in a sandbox. Use \`context.kv\` with the grant \`kv\` to keep data, or \`import\` for a JSON or text file beside this one.
      1 | import fs from "node:fs";
        |                ^
    "
  `);
});
