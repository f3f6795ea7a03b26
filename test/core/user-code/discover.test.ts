import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder, runUnit } from "./folder.ts";

const hook = "export default {};";

test("rules and hooks are loaded in the order of their names, after the configured ones", async () => {
  await using folder = await makeFolder({
    "rules/b.ts": hook,
    "rules/a.js": hook,
    "rules/C.mjs": hook,
    "hooks/10.mts": hook,
    "hooks/9.ts": hook,
    "mine/h.ts": hook,
    "mine/r.ts": hook,
    "mine/c.ts": "export class Audit {}",
  });
  const { units, faults } = await folder.load({ rules: ["rules/b.ts", "./mine/r.ts"], hooks: ["mine/h.ts"], callbacks: ["mine.c.Audit"] });
  expect(folder.show(faults)).toBe("");
  expect(units.map(({ kind, file, origin, entry, label }) => [kind, file, origin, entry, label])).toEqual([
    ["rule", "rules/b.ts", "configured", 0, "label0"],
    ["rule", "mine/r.ts", "configured", 1, "label1"],
    ["rule", "rules/C.mjs", "autoloaded", undefined, undefined],
    ["rule", "rules/a.js", "autoloaded", undefined, undefined],
    ["hook", "mine/h.ts", "configured", 0, undefined],
    ["hook", "hooks/10.mts", "autoloaded", undefined, undefined],
    ["hook", "hooks/9.ts", "autoloaded", undefined, undefined],
    ["callback", "mine/c.ts", "configured", 0, undefined],
  ]);
  expect(units[3]!.location).toEqual({ file: folder.path("rules/a.js"), line: 1, column: 1 });
});

test("what is left out is listed with the reason", async () => {
  await using folder = await makeFolder({
    "rules/good.ts": `import { help } from "./helper.ts"; export default help;`,
    "rules/good.test.ts": "",
    "rules/types.d.ts": "",
    "rules/_part.ts": "",
    "rules/.hidden.ts": "",
    "rules/.DS_Store": "",
    "rules/README.md": "",
    "rules/old.py": "",
    "rules/view.tsx": "",
    "rules/common.cjs": "",
    "rules/sub/deep.ts": hook,
    "rules/helper.ts": "export const help = 1;",
    "rules/forgotten.ts": "export function rule() {}",
    "hooks/named.ts": hook,
  });
  await writeFile(join(folder.outside, "evil.ts"), hook);
  await symlink(join(folder.outside, "evil.ts"), folder.path("rules/link.ts"));
  await symlink("./gone.ts", folder.path("rules/dead.ts"));
  const { units, ignored, faults } = await folder.load({ hooks: ["hooks.named.default"] });
  expect(units.map(({ file }) => file)).toEqual(["rules/good.ts", "hooks/named.ts"]);
  expect(Object.fromEntries(ignored.map(({ file, why }) => [file, why.replace(folder.root, "")]))).toEqual({
    "rules/.hidden.ts": "its name begins with .",
    "rules/_part.ts": "its name begins with _",
    "rules/common.cjs": "its name does not end in .ts, .mts, .js, .mjs",
    "rules/dead.ts": "it is a link that leads nowhere",
    "rules/forgotten.ts": "it has no default export",
    "rules/good.test.ts": "it is a test",
    "rules/helper.ts": "it has no default export; other files import it",
    "rules/link.ts": "it is a link that leads out of the folder of the configuration",
    "rules/sub": "files in sub-folders are not loaded without an entry",
    "rules/types.d.ts": "it declares types only",
    "rules/view.tsx": "its name does not end in .ts, .mts, .js, .mjs",
    "hooks/named.ts": "the entry at /ccproxy.yaml:200 names it",
  });
  expect(folder.show(faults)).toBe(
    'rules/forgotten.ts:1:1: warning: is not loaded: it has no default export. Write "export default defineRule(…)", or let its name begin with _ if other files are to import it.\n',
  );
});

test("a folder that is a link out of the configuration is not looked into", async () => {
  await using folder = await makeFolder();
  await mkdir(join(folder.outside, "rules"));
  await writeFile(join(folder.outside, "rules/a.ts"), hook);
  await symlink(join(folder.outside, "rules"), folder.path("rules"));
  expect(await folder.load()).toMatchObject({
    units: [],
    faults: [],
    ignored: [{ file: "rules", why: "it is a link that leads out of the folder of the configuration" }],
  });
});

test("a configuration folder that is itself a link is as good as any", async () => {
  await using folder = await makeFolder({
    "rules/a.ts": `import { x } from "./_x.ts"; export default x;`,
    "rules/_x.ts": "export const x = 1;",
  });
  const directory = join(folder.outside, "link");
  await symlink(folder.root, directory);
  const { units, faults } = await folder.load({ directory });
  expect(faults).toEqual([]);
  expect(units.map(({ file, path }) => [file, path])).toEqual([["rules/a.ts", folder.path("rules/a.ts")]]);
});

test("without autoload only entries are loaded, and the folders are not looked into", async () => {
  await using folder = await makeFolder({ "rules/a.ts": hook, "hooks/b.ts": hook });
  const { units, ignored, files } = await folder.load({ autoload: false, hooks: ["hooks.b.default"] });
  expect(units.map(({ file }) => file)).toEqual(["hooks/b.ts"]);
  expect(ignored).toEqual([]);
  expect(files).not.toContain(folder.path("rules"));
});

test("all that may change the outcome is named for watching", async () => {
  await using folder = await makeFolder({
    "rules/a.ts": `import { x } from "./lib/x.ts"; import y from "dep"; export default [x, y];`,
    "rules/lib/x.ts": `import z from "../../data.json"; export const x = z;`,
    "data.json": "{}",
    "node_modules/dep/package.json": `{"name":"dep"}`,
    "node_modules/dep/index.js": `module.exports = 1;`,
  });
  const { files, units } = await folder.load({ hooks: ["late.handler"], rules: ["ccproxy.rules.ThinkingRule"] });
  expect(units).toHaveLength(1);
  const names = files.map((file) => file.replace(`${folder.root}/`, ""));
  expect(new Set(names)).toEqual(
    new Set(
      "rules hooks rules/a.ts rules/lib/x.ts data.json tsconfig.json node_modules/dep/package.json late.ts late.mts late.js late.mjs node_modules/late".split(
        " ",
      ),
    ),
  );
  await folder.put({ "late.ts": "export const handler = 1;" });
  expect((await folder.load({ hooks: ["late.handler"] })).faults).toEqual([]);
});

test("a file that is broken or lacks an import is watched all the same", async () => {
  await using folder = await makeFolder({
    "rules/a.ts": "export default (",
    "rules/b.ts": `import "./_absent"; import "absent"; export default 1;`,
  });
  const { files, units } = await folder.load();
  expect(units).toEqual([]);
  for (const name of ["rules/a.ts", "rules/b.ts", "rules/_absent.ts", "rules/_absent.js", "node_modules/absent"])
    expect(files).toContain(folder.path(name));
});

test("the hash goes with the code, the export, the parameters and the options, and with nothing else", async () => {
  await using folder = await makeFolder({
    "rules/a.ts": `import { x } from "./_x.ts"; export default x;`,
    "rules/_x.ts": "export const x = 1;",
  });
  const hash = async (): Promise<string> => (await folder.load()).units[0]!.hash;
  const first = await hash();
  expect(first).toMatch(/^[\da-f]{64}$/);
  await folder.put({ "rules/unrelated.ts": hook, "config.yaml": "" });
  expect(await hash()).toBe(first);
  await folder.put({ "rules/_x.ts": "export const x = 2;" });
  const second = await hash();
  expect(second).not.toBe(first);
  await folder.put({ "rules/_x.ts": "export const x = 1;" });
  expect(await hash()).toBe(first);
  await using elsewhere = await makeFolder({
    "rules/a.ts": `import { x } from "./_x.ts"; export default x;`,
    "rules/_x.ts": "export const x = 1;",
  });
  expect((await elsewhere.load()).units[0]!.hash).toBe(first);
  expect(runUnit((await folder.load()).units[0]!)["default"]).toBe(1);
});
