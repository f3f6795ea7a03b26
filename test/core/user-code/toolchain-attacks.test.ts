/** What a file may try against those who compile it. Numbers are those of the list of attacks in docs/security.md. */

import { execFile } from "node:child_process";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createBundleCache } from "../../../core/user-code/bundle-cache.ts";
import { readSource } from "../../../core/user-code/read-source.ts";
import type { UserCode } from "../../../core/user-code/types.ts";
import { makeFolder, runUnit, type Folder } from "./folder.ts";

const secret = "SENTINEL-of-a-file-outside";

/** Everything that loading gave back, in one text. */
function everything(code: UserCode): string {
  return JSON.stringify(code);
}

async function withSecret(files: Readonly<Record<string, string>>): Promise<Folder> {
  const folder = await makeFolder(files);
  await writeFile(join(folder.outside, "secret.json"), JSON.stringify(secret));
  await writeFile(join(folder.outside, "secret.ts"), `export const secret = "${secret}"; export default secret;`);
  await writeFile(join(folder.outside, "secret.map"), secret);
  await writeFile(join(folder.outside, "tsconfig.json"), `{"compilerOptions":{"useDefineForClassFields":false},"note":"${secret}"}`);
  return folder;
}

test("81: an import of types runs nothing and reads nothing", async () => {
  await using folder = await withSecret({
    "rules/a.ts": `import type { X } from "./_effect.ts"; import { type Y } from "./_effect.ts"; export default 1 as X | Y;`,
    "rules/_effect.ts": `(globalThis as { ran?: boolean }).ran = true; export type X = number; export type Y = number;`,
  });
  const code = await folder.load();
  expect(code.faults).toEqual([]);
  expect(code.units[0]!.code).not.toContain("ran");
});

test("82: enums and decorators are compiled, never evaluated by us", async () => {
  const exit = "globalThis.process?.exit(7)";
  await using folder = await makeFolder({
    "rules/a.ts": `const enum E { a = 1 << 3, b = "x".length } function d(v: unknown, c: unknown) { ${exit}; return v as never; }
class A { @d m() { return E.a + E.b; } } export default new A().m();`,
  });
  const { units, faults } = await folder.load();
  expect(faults).toEqual([]);
  expect(runUnit(units[0]!)["default"]).toBe(9);
});

test.each([
  ["a line at the end", (url: string) => `export default 1;\n//# sourceMappingURL=${url}\n`],
  ["the older sign", (url: string) => `export default 1;\n//@ sourceMappingURL=${url}\n`],
  ["a block", (url: string) => `export default 1;\n/*# sourceMappingURL=${url} */\n`],
  ["in an imported file", (url: string) => `import x from "./_x.js"; export default x; //${url}`],
  ["in a package", (url: string) => `import x from "dep"; export default x; //${url}`],
])("83: a source map that a comment names is not read: %s", async (_, source) => {
  await using folder = await withSecret({ "node_modules/dep/package.json": `{"name":"dep"}` });
  for (const url of [
    `file://${folder.outside}/secret.map`,
    "../../outside/secret.map",
    `${folder.outside}/secret.map`,
    "file:///etc/passwd",
  ]) {
    const named = `export default 2;\n//# sourceMappingURL=${url}\n`;
    await folder.put({ "rules/a.ts": source(url), "rules/_x.js": named, "node_modules/dep/index.js": named });
    const code = await folder.load();
    expect(folder.show(code.faults)).toBe("");
    expect(everything(code)).not.toMatch(/SENTINEL|root:/);
    expect(code.units).toHaveLength(1);
  }
});

test("84: a reference path is a comment", async () => {
  await using folder = await withSecret({
    "rules/a.ts": `/// <reference path="../../outside/secret.ts" />\n/// <reference types="node" />\n/// <amd-module name="x" />\nexport default 1;`,
  });
  const code = await folder.load();
  expect(code.faults).toEqual([]);
  expect(everything(code)).not.toContain("SENTINEL");
});

test("85: tsconfig.json reaches nothing outside of the folder", async () => {
  await using folder = await withSecret({
    "rules/a.ts": `import { secret } from "secret"; class A { b; } export default [Object.keys(new A()), secret];`,
    "tsconfig.json": JSON.stringify({
      extends: ["../outside/tsconfig.json", "@evil/tsconfig", "/etc/tsconfig.json"],
      compilerOptions: {
        baseUrl: "../outside",
        paths: { secret: ["../outside/secret.ts", "./secret.ts"] },
        plugins: [{ name: "../outside/secret.ts" }],
      },
    }),
  });
  const code = await folder.load();
  expect(code.units).toEqual([]);
  expect(everything(code)).not.toContain("SENTINEL");
  const shown = folder.show(code.faults);
  expect(shown).toContain(
    `tsconfig.json: warning: extends "../outside/tsconfig.json", which leads out of the folder of the configuration; it is not read`,
  );
  expect(shown).toContain(`tsconfig.json: warning: extends "@evil/tsconfig", which is not a file in the folder of the configuration`);
  expect(shown).toContain(`rules/a.ts:1:24: error: "secret" leads out of the folder of the configuration, to OUTSIDE/secret.ts.`);
});

test("85: the options of a tsconfig.json above the folder do not count", async () => {
  await using folder = await withSecret({ "rules/a.ts": `class A { b; } export default Object.keys(new A());` });
  await writeFile(join(folder.root, "../tsconfig.json"), `{"compilerOptions":{"useDefineForClassFields":false}}`);
  expect(runUnit((await folder.load()).units[0]!)["default"]).toEqual(["b"]);
});

test("86: characters that turn the direction of writing are told of; letters that look alike are different names", async () => {
  await using folder = await makeFolder({
    "rules/a.ts": `const admin = false;\nconst аdmin = true;\n/* \u202e } \u2066if (admin)\u2069 \u2066 begin */\nexport default [admin, аdmin];`,
    "rules/b.ts": `export default "\\u202e";`,
  });
  const { units, faults } = await folder.load();
  expect(folder.show(faults)).toBe(
    "rules/a.ts:3:4: warning: holds the invisible character U+202E, which reorders what an editor shows: the code may not be what it looks like. Write it as an escape.\n",
  );
  expect(runUnit(units[0]!)["default"]).toEqual([false, true]);
});

test("87: a hashbang and comments of HTML change nothing", async () => {
  await using folder = await makeFolder({
    "rules/a.js": `#!/usr/bin/env node\nexport default 1;`,
    "rules/b.ts": `#!/bin/sh\nimport x from "./_c.js"; export default x;`,
    "rules/_c.js": `#!/bin/sh\nmodule.exports = 3; <!-- module.exports = 4;\n`,
  });
  const { units, faults } = await folder.load();
  expect(faults.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(units.map((unit) => runUnit(unit)["default"])).toEqual([1, 3]);
});

test("88: a file exchanged for a link between check and read is refused", async () => {
  await using folder = await withSecret({ "rules/a.ts": "export default 1;", "rules/sub/b.ts": "export default 1;" });
  expect(await readSource(folder.path("rules/a.ts"), folder.root)).toMatchObject({ type: "read", text: "export default 1;" });
  await rm(folder.path("rules/a.ts"));
  await symlink(join(folder.outside, "secret.ts"), folder.path("rules/a.ts"));
  expect(await readSource(folder.path("rules/a.ts"), folder.root)).toEqual({
    type: "refused",
    why: "was exchanged for a link while it was being read",
  });
  // A folder on the way to it, which O_NOFOLLOW does not see.
  await rename(folder.path("rules/sub"), folder.path("rules/was"));
  await mkdir(join(folder.outside, "sub"));
  await writeFile(join(folder.outside, "sub/b.ts"), secret);
  await symlink(join(folder.outside, "sub"), folder.path("rules/sub"));
  expect(await readSource(folder.path("rules/sub/b.ts"), folder.root)).toEqual({
    type: "refused",
    why: "was exchanged while it was being read",
  });
  expect(await readSource(join(folder.outside, "secret.ts"), folder.root)).toMatchObject({ type: "refused" });
});

test("88: a link that flips as fast as it can never lets the outside in", async () => {
  await using folder = await withSecret({
    "rules/a.ts": `import x from "./_x.ts"; export default x;`,
    "rules/_inside.ts": "export default 1;",
  });
  await folder.put({ "rules/_x.ts": "export default 1;" });
  const done = new AbortController();
  const flipping = (async () => {
    for (let flips = 0; !done.signal.aborted; flips += 1) {
      const target = flips % 2 === 0 ? join(folder.outside, "secret.ts") : folder.path("rules/_inside.ts");
      await symlink(target, folder.path("rules/_next"));
      await rename(folder.path("rules/_next"), folder.path("rules/_x.ts"));
    }
  })();
  const outcomes = new Set<string>();
  for (let round = 0; round < 40 || outcomes.size < 2; round += 1) {
    const code = await folder.load({}, createBundleCache(1));
    expect(everything(code)).not.toContain("SENTINEL");
    outcomes.add(code.units.length === 1 ? "loaded" : "refused");
  }
  done.abort();
  await flipping;
  expect(outcomes).toEqual(new Set(["loaded", "refused"]));
});

test("a package reaches neither the configuration nor other files beside it", async () => {
  await using folder = await withSecret({
    "rules/a.ts": `import x from "evil"; export default x;`,
    "state.json": `"${secret}"`,
    "node_modules/evil/package.json": `{"name":"evil","main":"../../state.json","exports":{".":"./index.js","./up":"./../../state.json"}}`,
    "node_modules/evil/index.js": `export { default } from "../../state.json";`,
  });
  for (const source of [
    `import x from "evil"; export default x;`,
    `import x from "evil/up"; export default x;`,
    `import x from "evil/../../state.json"; export default x;`,
  ]) {
    await folder.put({ "rules/a.ts": source });
    const code = await folder.load();
    expect(code.units).toEqual([]);
    expect(everything(code)).not.toContain("SENTINEL");
  }
});

test("a package folder that is a link to a folder of another kind is none", async () => {
  await using folder = await withSecret({ "rules/a.ts": `import x from "evil/secret.json"; export default x;` });
  await mkdir(folder.path("node_modules"));
  await symlink(folder.outside, folder.path("node_modules/evil"));
  const code = await folder.load();
  expect(code.units).toEqual([]);
  expect(everything(code)).not.toContain("SENTINEL");
});

test.each([
  ["no JSON", `${secret} = 1\n`],
  ["JSON of another kind", `["${secret}"]`],
  ["a main that is no text", `{"name":"evil","main":{"${secret}":1},"exports":{"${secret}":"${secret}"}}`],
])("a package.json that is a link to another file shows nothing of it: %s", async (_, content) => {
  await using folder = await withSecret({
    "rules/a.ts": `import x from "evil"; import y from "#evil"; export default [x, y];`,
    "node_modules/evil/index.js": "",
  });
  await writeFile(join(folder.outside, "other.json"), content);
  await symlink(join(folder.outside, "other.json"), folder.path("node_modules/evil/package.json"));
  await symlink(join(folder.outside, "other.json"), folder.path("package.json"));
  const code = await folder.load();
  expect(code.faults.length).toBeGreaterThan(0);
  expect(everything(code)).not.toContain("SENTINEL");
});

test("a flood of findings is cut", async () => {
  await using folder = await makeFolder({
    "rules/a.ts": Array.from({ length: 500 }, (_, index) => `import "./absent${index}.ts";`).join("\n"),
  });
  const { faults } = await folder.load();
  expect(faults).toHaveLength(21);
  expect(folder.show(faults)).toContain("480 more findings like these are not shown.");
});

test("what is no file is not waited for", async () => {
  await using folder = await makeFolder({ "rules/_x.ts/index.ts": "" });
  await promisify(execFile)("mkfifo", [folder.path("rules/pipe.ts")]);
  await folder.put({ "rules/a.ts": `import x from "./pipe.ts"; export default x;` });
  const { faults } = await folder.load();
  expect(folder.show(faults)).toContain("rules/pipe.ts: error: is not a regular file.");
  expect(folder.show(faults)).toContain("rules/a.ts:1:15: error: ");
});

test("names that are keys of every object are names like others", async () => {
  await using folder = await makeFolder({
    "rules/__proto__.ts": "export const constructor = 1; export default constructor;",
    "rules/constructor.ts": "export default 2;",
  });
  const { units, faults } = await folder.load({ hooks: ["rules.__proto__.constructor", "rules.constructor.__proto__"] });
  expect(folder.show(faults)).toContain('rules/constructor.ts has no export "__proto__"');
  expect(units.map(({ file, exportName }) => [file, exportName])).toEqual([["rules/__proto__.ts", "constructor"]]);
});
