import { expect, test } from "vitest";
import { readCompilerOptions } from "../../../core/user-code/tsconfig.ts";
import { makeFolder, runUnit, type Folder } from "./folder.ts";

async function optionsOf(folder: Folder): Promise<unknown> {
  const { raw, faults } = await readCompilerOptions(folder.root);
  expect(folder.show(faults)).toBe("");
  return (JSON.parse(raw) as { compilerOptions: unknown }).compilerOptions;
}

test("comments and trailing commas are read as editors read them", async () => {
  await using folder = await makeFolder({
    "tsconfig.json": `// first
{
  /* a block, with "quotes" */
  "compilerOptions": {
    "strict": true, // behind
    "target": "es2020",
    "paths": { "//x": ["./a/*b*/", ], },
    "baseUrl": ".",
    "jsx": "react", "outDir": "dist", "plugins": [{ "name": "x" }], "types": ["node"],
  },
}
`,
  });
  expect(await optionsOf(folder)).toEqual({ strict: true, target: "es2020", paths: { "//x": ["./a/*b*/"] }, baseUrl: folder.root });
});

test("files that are extended count, as long as they lie in the folder", async () => {
  await using folder = await makeFolder({
    "tsconfig.json": `{"extends":["./base/one","./base/two.json"],"compilerOptions":{"strict":false}}`,
    "base/one.json": `{"compilerOptions":{"strict":true,"experimentalDecorators":true,"baseUrl":"."}}`,
    "base/two.json": `{"compilerOptions":{"experimentalDecorators":false}}`,
  });
  expect(await optionsOf(folder)).toEqual({ strict: false, experimentalDecorators: false, baseUrl: folder.path("base") });
  expect((await readCompilerOptions(folder.root)).files).toEqual(
    ["tsconfig.json", "base/one.json", "base/two.json"].map((name) => folder.path(name)),
  );
});

test("a circle ends", async () => {
  await using folder = await makeFolder({ "tsconfig.json": `{"extends":"./tsconfig.json"}` });
  const { faults } = await readCompilerOptions(folder.root);
  expect(faults).toHaveLength(1);
});

test("what cannot be read is told of, and nothing else stops", async () => {
  await using folder = await makeFolder({ "tsconfig.json": "{", "rules/a.ts": "export default 1;" });
  const { units, faults } = await folder.load();
  expect(units).toHaveLength(1);
  expect(folder.show(faults)).toBe("tsconfig.json: warning: is not valid JSON; its options are not used.\n");
  await folder.put({ "tsconfig.json": `{"extends":"./absent.json"}` });
  expect(folder.show((await folder.load()).faults)).toBe(
    "absent.json: warning: does not exist, though a tsconfig.json extends it; its options are not used.\n",
  );
});

test("paths lead to files of the folder", async () => {
  await using folder = await makeFolder({
    "tsconfig.json": `{"compilerOptions":{"paths":{"@lib/*":["./lib/*"],"lone":["./lib/lone.ts"]}}}`,
    "lib/one.ts": "export const one = 1;",
    "lib/lone.ts": "export const lone = 2;",
    "rules/a.ts": `import { one } from "@lib/one"; import { lone } from "lone"; export default [one, lone];`,
  });
  const { units, faults } = await folder.load();
  expect(folder.show(faults)).toBe("");
  expect(runUnit(units[0]!)["default"]).toEqual([1, 2]);
});

test("older decorators are compiled where the options ask for them", async () => {
  const source = `const seen: string[] = []; function d(target: object, key: string) { seen.push(key); } class A { @d method() {} } void A; export default seen;`;
  await using folder = await makeFolder({ "rules/a.ts": source, "tsconfig.json": `{"compilerOptions":{"experimentalDecorators":true}}` });
  expect(runUnit((await folder.load()).units[0]!)["default"]).toEqual(["method"]);
});
