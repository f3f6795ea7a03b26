import { rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { createBundleCache, type BundleCache } from "../../../core/user-code/bundle-cache.ts";
import { bundle } from "../../../core/user-code/bundle.ts";
import { makeFolder, runUnit } from "./folder.ts";

const files = {
  "rules/a.ts": `import { x } from "./lib/x"; export default x;`,
  "rules/lib/x.js": "export const x = 1;",
  "rules/b.ts": "export default 'b';",
};

/** A cache that notes what it had to compile. */
function counted(capacity = 10): { readonly cache: BundleCache; readonly compiled: () => string[] } {
  const names: string[] = [];
  const cache = createBundleCache(capacity, async (entry, options) => {
    names.push(entry.type === "package" ? entry.specifier : basename(entry.path));
    return await bundle(entry, options);
  });
  return { cache, compiled: () => names.splice(0).sort() };
}

test("what did not change is not compiled again", async () => {
  await using folder = await makeFolder(files);
  const { cache, compiled } = counted();
  const first = await folder.load({}, cache);
  expect(compiled()).toEqual(["a.ts", "b.ts"]);
  const second = await folder.load({}, cache);
  expect(compiled()).toEqual([]);
  expect(second).toEqual(first);
  await folder.put({ "rules/lib/x.js": "export const x = 5;" });
  await folder.load({}, cache);
  expect(compiled()).toEqual(["a.ts"]);
});

test("a touch of a file is no change, a change of something imported is one", async () => {
  await using folder = await makeFolder(files);
  const { cache, compiled } = counted();
  await folder.load({}, cache);
  compiled();
  await utimes(folder.path("rules/lib/x.js"), new Date(0), new Date(0));
  expect(runUnit((await folder.load({}, cache)).units[0]!)["default"]).toBe(1);
  expect(compiled()).toEqual([]);
  const { mtime, atime } = await stat(folder.path("rules/lib/x.js"));
  await writeFile(folder.path("rules/lib/x.js"), "export const x = 2;");
  // An editor that sets the old time and keeps the size does not hide it.
  await utimes(folder.path("rules/lib/x.js"), atime, mtime);
  expect(runUnit((await folder.load({}, cache)).units[0]!)["default"]).toBe(2);
});

test("a new file that an import now means is noticed", async () => {
  await using folder = await makeFolder(files);
  const { cache } = counted();
  expect(runUnit((await folder.load({}, cache)).units[0]!)["default"]).toBe(1);
  await folder.put({ "rules/lib/x.ts": "export const x = 'TypeScript goes first';" });
  expect(runUnit((await folder.load({}, cache)).units[0]!)["default"]).toBe("TypeScript goes first");
  await rm(folder.path("rules/lib/x.ts"));
  expect(runUnit((await folder.load({}, cache)).units[0]!)["default"]).toBe(1);
});

test("a broken file is compiled again once it is mended", async () => {
  await using folder = await makeFolder({ "rules/a.ts": "export default (" });
  const { cache } = counted();
  expect((await folder.load({}, cache)).faults).toHaveLength(1);
  await folder.put({ "rules/a.ts": "export default (1)" });
  expect((await folder.load({}, cache)).faults).toEqual([]);
});

test("compiler options are a part of what is compiled", async () => {
  await using folder = await makeFolder({ "rules/a.ts": "class A { b; } export default Object.keys(new A());" });
  const { cache } = counted();
  expect(runUnit((await folder.load({}, cache)).units[0]!)["default"]).toEqual(["b"]);
  await folder.put({ "tsconfig.json": `{"compilerOptions":{"useDefineForClassFields":false}}` });
  expect(runUnit((await folder.load({}, cache)).units[0]!)["default"]).toEqual([]);
});

test("the one unused for longest goes when there are too many", async () => {
  await using folder = await makeFolder(files);
  const { cache, compiled } = counted(1);
  await folder.load({}, cache);
  compiled();
  await folder.load({}, cache);
  expect(compiled().length).toBeGreaterThan(0);
});
