import { describe, expect, test } from "vitest";
import { makeFolder, runUnit } from "./folder.ts";

async function faultsOf(files: Readonly<Record<string, string>>): Promise<string> {
  await using folder = await makeFolder(files);
  return folder.show((await folder.load()).faults);
}

const rule = "export default () => true;";

describe("what cannot be compiled or would fail later is told at its place", () => {
  const cases: readonly (readonly [what: string, source: string, found: string])[] = [
    [
      "a syntax error",
      "export default () => {\n  const a = ;\n};",
      `rules/a.ts:2:13: error: Unexpected ";"\n  2 |   const a = ;\n    |             ^\n`,
    ],
    [
      "a column behind letters of more than one byte",
      `const é = "🙂"; const = 1;\n${rule}`,
      `rules/a.ts:1:23: error: Expected identifier but found "="\n  1 | const é = "🙂"; const = 1;\n    |                       ^\n`,
    ],
    [
      "await at the top",
      `const x = await Promise.resolve(1);\n${rule}`,
      "rules/a.ts:1:11: error: await outside of a function: a file is loaded once, before any request, and cannot wait. Move it into the rule or hook, which may be async.",
    ],
    [
      "an import of a name that is computed",
      `export default async (name: string) => import(name);`,
      "rules/a.ts:1:40: error: import() of a name that is only known when the code runs: only files known beforehand are in the sandbox.",
    ],
    [
      "a require of a name that is computed",
      `declare const require: any; export default (name: string) => require(name);`,
      "error: require() of a name that is only known when the code runs",
    ],
    [
      "a module of Node with prefix",
      `import "node:child_process";\n${rule}`,
      `rules/a.ts:1:8: error: "node:child_process" is a module of Node, which rules and hooks cannot reach: they run in a sandbox. Nothing like it can be reached from a sandbox.`,
    ],
    [
      "a module of Node without prefix",
      `import { readFileSync } from "fs";\nexport default () => readFileSync;`,
      "Use `context.kv` with the grant `kv`",
    ],
    ["https", `import h from "https";\nexport default () => h;`, "Use `context.fetch` with the grant `fetch:host`."],
    ["crypto", `import c from "crypto";\nexport default () => c;`, "Use `context.pseudonym(text)`"],
    ["process", `import p from "process";\nexport default () => p;`, "Use `context.env` with the grant `env:NAME`"],
    [
      "require of a module of Node",
      `declare const require: any; export default () => require("fs/promises");`,
      `"fs/promises" is a module of Node`,
    ],
    ["import() of a module of Node", `export default () => import("node:os");`, `"node:os" is a module of Node`],
    ["native code", `import x from "./x.node";\nexport default () => x;`, `"./x.node" is native code, which a sandbox cannot hold.`],
    [
      "a URL",
      `import x from "https://example.com/x.js";\nexport default () => x;`,
      `"https://example.com/x.js" is a URL; only files beside the configuration and installed packages can be imported.`,
    ],
    ["a data URL", `import x from "data:text/javascript,export default 1";\nexport default () => x;`, `is a URL; only files`],
    [
      "an absolute path",
      `import x from "/etc/passwd";\nexport default () => x;`,
      `"/etc/passwd" is an absolute path; write it relative to this file.`,
    ],
    ["a path out of the folder", `import x from "../../outside/x.ts";\nexport default () => x;`, `"../../outside/x.ts" does not exist`],
    [
      "a file that is not there",
      `import x from "./utils";\nexport default () => x;`,
      `"./utils" does not exist with any of the endings .ts, .mts, .js, .mjs, .json. Did you mean "./util"?`,
    ],
    [
      "a package that is not there",
      `import x from "left-pad";\nexport default () => x;`,
      `The package "left-pad" is not installed. Install it beside the configuration: npm install left-pad`,
    ],
    [
      "a package import that nobody declares",
      `import x from "#x";\nexport default () => x;`,
      `"#x" is in the "imports" of no package.json around this file.`,
    ],
    [
      "an unknown part of ours",
      `import x from "ccproxy/core";\nexport default () => x;`,
      `"ccproxy/core" does not exist; rules and hooks import "ccproxy/sdk".`,
    ],
    [
      "a file of another kind",
      `import x from "./style.css";\nexport default () => x;`,
      "rules/style.css cannot be imported; what can are files ending in .ts",
    ],
    [
      "JSX",
      `import x from "./view.tsx";\nexport default () => x;`,
      "rules/view.tsx is a file for JSX, which has no use here. Rename it to .ts.",
    ],
    [
      "an export that the other file does not have",
      `import { b } from "./_util.ts";\nexport default () => b;`,
      `No matching export in "rules/_util.ts" for import "b"`,
    ],
    [
      "import.meta",
      `export default () => import.meta.url;`,
      "rules/a.ts:1:22: warning: import.meta is empty in the sandbox: code there has no place on a disk.",
    ],
    ["text of another language", "def rule(request):\n  return True\n", "rules/a.ts:1:5: error:"],
    ["an enum without an end", "enum A { x = ", "rules/a.ts:1:14: error:"],
  ];
  test.each(cases)("%s", async (_, source, found) => {
    const others = {
      "rules/_util.ts": "export const a = 1;",
      "rules/lib/util.ts": "",
      "rules/style.css": "",
      "rules/view.tsx": "",
      "rules/x.node": "",
    };
    expect(await faultsOf({ ...others, "rules/util.ts": "export const z = 1", "rules/a.ts": source })).toContain(found);
  });
});

describe("what works", () => {
  const cases: readonly (readonly [what: string, source: string, value: unknown])[] = [
    [
      "types of every kind",
      `type A = string; interface B { b: A } declare const c: B; abstract class D<T> { constructor(private readonly t: T, public u = 2) {} }\nclass E extends D<number> {}\nexport default (new E(1) as unknown as { u: number }).u satisfies number;`,
      2,
    ],
    [
      "an enum and a const enum, its own and one of another file",
      `import { Far } from "./_far.ts"; enum A { x = 3 } const enum B { y = "y" } export default [A.x, A[3], B.y, Far.z];`,
      [3, "x", "y", 7],
    ],
    [
      "decorators of the standard",
      `function up(value: unknown, context: ClassMethodDecoratorContext) { return function () { return String(context.name).toUpperCase(); }; }\nclass A { @up name() { return "no"; } }\nexport default new A().name();`,
      "NAME",
    ],
    [
      "using",
      `const seen: string[] = []; { using a = { [Symbol.dispose]() { seen.push("gone"); } }; seen.push("there"); void a; } export default seen;`,
      ["there", "gone"],
    ],
    [
      "JSON and text",
      `import data from "./_data.json"; import note from "./_note.md"; import raw from "./_data.json" with { type: "text" }; export default [data.list, note, raw.length];`,
      [[1, 2], "# Note", 14],
    ],
    ["a .js ending that means a .ts file", `import { Far } from "./_far.js"; export default Far.z;`, 7],
    ["a package with conditions", `import { where } from "both"; export default where;`, "import"],
    ["a package of the name of a module of Node", `import { Emitter } from "events"; export default new Emitter().kind;`, "package"],
    ["CommonJS in a package", `import whole, { part } from "common"; export default [whole.part, part];`, ["p", "p"]],
    ["a package that imports its own parts and others", `import { deep } from "chain"; export default deep;`, "deep import"],
    [
      "an import of types from Node",
      `import type { Readable } from "node:stream"; import { type Buffer } from "node:buffer"; export default 1 as unknown as Readable | Buffer;`,
      1,
    ],
    ["a module that is asked for and never used", `import { readFileSync } from "node:fs"; export default 2;`, 2],
  ];
  const others = {
    "rules/_far.ts": "export const enum Far { z = 7 }",
    "rules/_data.json": `{"list":[1,2]}`,
    "rules/_note.md": "# Note",
    "node_modules/both/package.json": `{"name":"both","exports":{"node":"./node.js","browser":"./browser.js","require":"./require.js","import":"./import.js"}}`,
    "node_modules/both/import.js": `export const where = "import";`,
    "node_modules/both/require.js": `exports.where = "require";`,
    "node_modules/events/package.json": `{"name":"events","main":"main.js"}`,
    "node_modules/events/main.js": `exports.Emitter = class { kind = "package" };`,
    "node_modules/common/package.json": `{"name":"common"}`,
    "node_modules/common/index.js": `module.exports = { part: require("./part") };`,
    "node_modules/common/part.js": `module.exports = "p";`,
    "node_modules/chain/package.json": `{"name":"chain","imports":{"#in":"./in.js"},"exports":{".":"./index.js","./self":"./self.js"}}`,
    "node_modules/chain/index.js": `import { self } from "chain/self"; import { where } from "both"; export const deep = self + " " + where;`,
    "node_modules/chain/self.js": `export { self } from "#in";`,
    "node_modules/chain/in.js": `export const self = "deep";`,
  };
  test.each(cases)("%s", async (_, source, value) => {
    await using folder = await makeFolder({ ...others, "rules/a.ts": source });
    const { units, faults } = await folder.load();
    expect(folder.show(faults)).toBe("");
    expect(JSON.stringify(runUnit(units[0]!)["default"])).toBe(JSON.stringify(value));
  });
});

test("a credential in a line of code is not shown", async () => {
  const found = await faultsOf({ "rules/a.ts": `const apiKey = "hunter2 and more"; const other = "sk-ant-REDACTED"; const = 1;\n` });
  expect(found).toContain("const apiKey = ");
  expect(found).not.toMatch(/hunter2|api03/);
  const [, code = "", caret = ""] = found.split("\n");
  expect(code.slice(caret.indexOf("^"))).toMatch(/^= 1;/);
});

test("a script that grew beyond the limit names what takes the room", async () => {
  const found = await faultsOf({
    "rules/a.ts": `import { big } from "big"; export default () => big;`,
    "node_modules/big/package.json": `{"name":"big"}`,
    "node_modules/big/index.js": `export const big = "${"x".repeat(2_200_000)}";`,
  });
  expect(found).toMatch(
    /^rules\/a.ts: error: comes to 22\d{5} bytes with all it imports; at most 2097152 are loaded. The largest part is npm:big with 2200\d{3} bytes.\n$/,
  );
});

test("a source file of an absurd size is not read", async () => {
  expect(await faultsOf({ "rules/a.ts": `//${" ".repeat(5_000_000)}\n${rule}` })).toContain(
    "rules/a.ts: error: is 5000029 bytes long; at most 4194304 are read.",
  );
});

test("what is not UTF-8 is refused", async () => {
  await using folder = await makeFolder({ "rules/a.ts": rule });
  const { writeFile } = await import("node:fs/promises");
  await writeFile(folder.path("rules/a.ts"), Buffer.from([0x2f, 0x2f, 0xff, 0xfe, 0x0a]));
  expect(folder.show((await folder.load()).faults)).toContain("rules/a.ts: error: holds bytes that are not UTF-8.");
});

test("many faults of one file are all told, in order", async () => {
  const found = await faultsOf({ "rules/a.ts": `import "node:fs";\nimport "node:net";\nimport "./absent.ts";\n${rule}` });
  expect(found.match(/rules\/a\.ts:\d+/g)).toEqual(["rules/a.ts:1", "rules/a.ts:2", "rules/a.ts:3"]);
});

test("a fault in a package is shown in the package", async () => {
  const found = await faultsOf({
    "rules/a.ts": `import { x } from "broken"; export default () => x;`,
    "node_modules/broken/package.json": `{"name":"broken"}`,
    "node_modules/broken/index.js": `import fs from "fs";\nexport const x = fs;`,
  });
  expect(found).toContain(`node_modules/broken/index.js:1:16: error: "fs" is a module of Node`);
});
