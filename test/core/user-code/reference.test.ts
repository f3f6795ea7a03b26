import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder, runUnit, type Folder } from "./folder.ts";

const files = {
  "rules/vip.ts": `export default "default of vip"; export const Vip = "Vip of vip";`,
  "team/special/deep.mts": `export const Deep = "deep";`,
  "plain.js": `export const plain = "plain";`,
  "both.ts": `export const x = "ts";`,
  "both.js": `export const x = "js";`,
  "some.ts": `export const x = "file before package";`,
  "dotted.name.ts": `export default "dotted name";`,
  "old.cjs.js": `module.exports = { one: "one of CommonJS" };`,
  "node_modules/some/package.json": `{"name":"some","main":"index.js"}`,
  "node_modules/some/index.js": `exports.x = "package";`,
  "node_modules/pkg/package.json": `{"name":"pkg","exports":{".":{"node":"./node.js","import":"./main.js"},"./sub":"./sub.js","./hidden":{"node":"./node.js"}}}`,
  "node_modules/pkg/main.js": `export const name = "pkg"; export default "default of pkg";`,
  "node_modules/pkg/sub.js": `export const name = "pkg/sub";`,
  "node_modules/pkg/node.js": `import "node:fs"; export const name = "only for Node";`,
  "node_modules/@scope/lib/package.json": `{"name":"@scope/lib","module":"m.js","main":"c.js"}`,
  "node_modules/@scope/lib/m.js": `export const Thing = "scoped";`,
  "node_modules/@scope/lib/c.js": `exports.Thing = "scoped, CommonJS";`,
  "node_modules/cjs/package.json": `{"name":"cjs"}`,
  "node_modules/cjs/index.js": `module.exports = { handler: "handler of cjs" };`,
};

async function valueOf(folder: Folder, reference: string): Promise<unknown> {
  const { units, faults } = await folder.load({ hooks: [reference], autoload: false });
  if (faults.length > 0) return folder.show(faults);
  const [unit] = units;
  return unit === undefined ? undefined : runUnit(unit)[unit.exportName];
}

describe("what a reference names", () => {
  const cases: readonly (readonly [reference: string, value: string])[] = [
    ["rules.vip.Vip", "Vip of vip"],
    ["rules.vip.default", "default of vip"],
    ["rules.vip:Vip", "Vip of vip"],
    ["rules/vip:Vip", "Vip of vip"],
    ["rules/vip.Vip", "Vip of vip"],
    ["./rules/vip.ts", "default of vip"],
    ["rules/vip.ts", "default of vip"],
    ["./rules/vip", "default of vip"],
    ["./rules/vip.ts:Vip", "Vip of vip"],
    ["./rules/../rules/vip.ts", "default of vip"],
    ["team.special.deep.Deep", "deep"],
    ["plain.plain", "plain"],
    ["both.x", "ts"],
    ["./both.js:x", "js"],
    ["some.x", "file before package"],
    ["dotted.name.ts", "dotted name"],
    ["./old.cjs.js:one", "one of CommonJS"],
    ["pkg.name", "pkg"],
    ["pkg:default", "default of pkg"],
    ["pkg/sub.name", "pkg/sub"],
    ["pkg.sub.name", "pkg/sub"],
    ["@scope/lib.Thing", "scoped"],
    ["@scope/lib:Thing", "scoped"],
    ["cjs.handler", "handler of cjs"],
  ];
  test.each(cases)("%s", async (reference, value) => {
    await using folder = await makeFolder(files);
    expect(await valueOf(folder, reference)).toBe(value);
  });
});

describe("what is refused, and why", () => {
  const cases: readonly (readonly [reference: string, why: string])[] = [
    ["s3://bucket/hooks.handler", "would load code from a bucket"],
    ["gcs://bucket/hooks.handler", "would load code from a bucket"],
    ["https://example.com/hook.js", "is a URL; code is never fetched"],
    ["file:///etc/hook.js", "is a URL"],
    ["data:text/javascript,x", "is a URL"],
    ["/etc/hook.ts", "is an absolute path"],
    ["C:\\hooks\\x.ts", "is an absolute path"],
    ["~/x.ts", "is an absolute path"],
    ["../outside/x.ts", "leads out of the folder of the configuration"],
    ["./rules/../../outside/x.ts", "leads out of the folder of the configuration"],
    ["hooks\\x.ts", "holds a backslash"],
    ["vip", "names no export"],
    ["rules.vip-users", 'Write "./rules/vip-users.ts" for the default export of that file, or "rules.vip-users.name" for another one.'],
    ["..x", "names no export"],
    ["a..b.c", "names no export"],
    ["../../etc.passwd", "leads out of the folder of the configuration"],
    ["./rules/readme.md", "ends in .md; rules and hooks are files ending in .ts, .mts, .js or .mjs."],
    ["./rules/vip.tsx", "ends in .tsx"],
    ["pkg/none.name", 'The package "pkg" has nothing under "pkg/none" that could be used outside of Node'],
    ["pkg/hidden.name", 'has nothing under "pkg/hidden" that could be used outside of Node'],
    [
      "absent.name",
      'looked for absent.ts, absent.mts, absent.js and absent.mjs in CONFIG, and for the package "absent" there and in the folders above.',
    ],
    ["@scope/absent.name", 'looked for the package "@scope/absent"'],
    [
      "ccproxy.rules.ThinkingRul",
      'is no built-in rule; there are ccproxy.rules.ThinkingRule and ccproxy.rules.TokenCountRule. Did you mean "ThinkingRule"?',
    ],
    ["ccproxy.hooks.model_ruter", "is no built-in hook; there are ccproxy.hooks.rule_evaluator"],
  ];
  test.each(cases)("%s", async (reference, why) => {
    await using folder = await makeFolder(files);
    const { units, faults } = await folder.load({ hooks: [reference], autoload: false });
    expect(units).toEqual([]);
    expect(faults).toMatchObject([{ severity: "error", file: folder.path("ccproxy.yaml"), line: 200, column: 5 }]);
    expect(folder.show(faults)).toContain(why);
  });
});

describe("near misses are named", () => {
  const cases: readonly (readonly [reference: string, hint: string])[] = [
    ["rules.vipp.Vip", 'Did you mean "./rules/vip"?'],
    ["./rules/vipp.ts", 'Did you mean "./rules/vip.ts"?'],
    ["rules.vip", 'For the default export of that file write "./rules/vip.ts".'],
    ["vip.Vip", 'Did you mean "rules.vip.Vip"?'],
    ["rules.vip.Vib", 'rules/vip.ts has no export "Vib"; it exports Vip and default. Did you mean "Vip"?'],
    [
      "./team/special/deep.mts",
      'team/special/deep.mts has no default export; it exports Deep. Write "export default" before the rule or hook, or name the export as in "./team/special/deep.mts:Deep".',
    ],
    ["@scope/lib.Thin", 'npm:@scope/lib/m.js has no export "Thin"; it exports Thing. Did you mean "Thing"?'],
  ];
  test.each(cases)("%s", async (reference, hint) => {
    await using folder = await makeFolder(files);
    expect(await valueOf(folder, reference)).toContain(hint);
  });
});

test("a module that re-exports everything is asked what it exports", async () => {
  await using folder = await makeFolder({
    "all.ts": `export * from "./one.ts"; export * as ns from "./one.ts"; export { one as "two words" } from "./one.ts";`,
    "one.ts": `export const one = 1; export let two = 2;`,
  });
  expect(await valueOf(folder, "all.one")).toBe(1);
  expect(await valueOf(folder, "all.ns")).toMatchObject({ one: 1 });
  expect(await valueOf(folder, "all.three")).toContain('all.ts has no export "three"; it exports ns, one, two and two words.');
});

test("a rule is told by its label, a callback by its kind", async () => {
  await using folder = await makeFolder();
  const { faults } = await folder.load({ rules: ["a.B"], callbacks: ["c.d"] });
  expect(folder.show(faults).split("\n")).toMatchObject([
    expect.stringMatching(/^ccproxy.yaml:100:5: error: rule "label0": "a.B" cannot be found/),
    expect.stringMatching(/^ccproxy.yaml:300:5: error: callback "c.d" cannot be found/),
    "",
  ]);
});

test("a Python file in the place of the module says how to port it, unless it was ported", async () => {
  await using folder = await makeFolder({ "custom_hooks.py": "", "hooks/other.py": "", "my_rules.py": "" });
  const { faults } = await folder.load({
    hooks: ["custom_hooks.strip_tools", "hooks/other.py", "./absent.py"],
    rules: ["my_rules.Priority"],
  });
  expect(folder.show(faults)).toMatchInlineSnapshot(`
    "ccproxy.yaml:100:5: error: rule "label0": "my_rules.Priority" is Python (my_rules.py), which cannot run here. Port it to TypeScript as my_rules.ts: a function of the request that says whether it matches. A built-in rule (ccproxy.rules.*) may do already. Until then, take this entry out.
    ccproxy.yaml:200:5: error: hook "custom_hooks.strip_tools" is Python (custom_hooks.py), which cannot run here. Port it to TypeScript as custom_hooks.ts: functions that take the request or the reply. Until then, take this entry out.
    ccproxy.yaml:201:5: error: hook "hooks/other.py" is Python (hooks/other.py), which cannot run here. Port it to TypeScript as hooks/other.ts: functions that take the request or the reply. Until then, take this entry out.
    ccproxy.yaml:202:5: error: hook "./absent.py" names a Python file, which cannot run here.
    "
  `);
  await folder.put({
    "custom_hooks.ts": "export const strip_tools = 1;",
    "hooks/other.ts": "export default 1",
    "my_rules.ts": "export class Priority {}",
  });
  expect((await folder.load({ hooks: ["custom_hooks.strip_tools", "./hooks/other.ts"], rules: ["my_rules.Priority"] })).faults).toEqual([]);
});

test("what is built in is no unit", async () => {
  await using folder = await makeFolder();
  const hooks = ["rule_evaluator", "model_router", "forward_oauth", "forward_oauth_hook", "forward_apikey"].map(
    (name) => `ccproxy.hooks.${name}`,
  );
  expect(await folder.load({ hooks, rules: ["ccproxy.rules.ThinkingRule"], autoload: false })).toEqual({
    units: [],
    ignored: [],
    faults: [],
    files: [],
  });
});

test("a ready-made file is found by either spelling of its name", async () => {
  await using folder = await makeFolder();
  // As where the package is installed.
  const readyMadeDirectory = join(folder.outside, "node_modules/ccproxy/hooks");
  await mkdir(readyMadeDirectory, { recursive: true });
  await writeFile(
    join(readyMadeDirectory, "redact-secrets.ts"),
    `import { defineHook } from "ccproxy/sdk"; import { x } from "./_lib/x.ts"; export default defineHook({ summary: x });`,
  );
  await mkdir(join(readyMadeDirectory, "_lib"));
  await writeFile(join(readyMadeDirectory, "_lib/x.ts"), `export const x = "shipped";`);
  await writeFile(join(readyMadeDirectory, "keyword-rule.ts"), `export default "keyword";`);
  await writeFile(join(readyMadeDirectory, "ab-rule.ts"), `export default "ab";`);
  const { units, faults } = await folder.load({
    readyMadeDirectory,
    hooks: ["ccproxy.hooks.redact_secrets", "ccproxy.hooks.absent"],
    rules: ["ccproxy.rules.KeywordRule", "ccproxy.rules.keyword_rule", "ccproxy.rules.ABRule"],
  });
  expect(units.map(({ file, origin }) => [file, origin])).toEqual([
    ["ccproxy:hooks/keyword-rule.ts", "ready-made"],
    ["ccproxy:hooks/keyword-rule.ts", "ready-made"],
    ["ccproxy:hooks/ab-rule.ts", "ready-made"],
    ["ccproxy:hooks/redact-secrets.ts", "ready-made"],
  ]);
  expect(runUnit(units[3]!)["default"]).toMatchObject({ summary: "shipped" });
  expect(folder.show(faults)).toContain(
    '"ccproxy.hooks.absent" is no built-in hook; there are ccproxy.hooks.rule_evaluator, ccproxy.hooks.model_router, ccproxy.hooks.forward_oauth, ccproxy.hooks.forward_oauth_hook, ccproxy.hooks.forward_apikey and ccproxy.hooks.redact_secrets.',
  );
});

test("a link is followed inside the folder and nowhere else", async () => {
  await using folder = await makeFolder({ "lib/inside.ts": `export default "inside";` });
  await writeFile(join(folder.outside, "evil.ts"), `export default "evil";`);
  await mkdir(folder.path("hooks"));
  await symlink("../lib/inside.ts", folder.path("hooks/good.ts"));
  await symlink(join(folder.outside, "evil.ts"), folder.path("hooks/bad.ts"));
  await symlink(folder.outside, folder.path("linked"));
  await symlink("nowhere.ts", folder.path("hooks/dead.ts"));
  expect(await valueOf(folder, "hooks.good.default")).toBe("inside");
  expect(await valueOf(folder, "hooks.bad.default")).toContain(
    "is a link that leads out of the folder of the configuration, to OUTSIDE/evil.ts; it is not followed.",
  );
  expect(await valueOf(folder, "./linked/evil.ts")).toContain("is a link that leads out of the folder");
  expect(await valueOf(folder, "./hooks/dead.ts")).toContain("does not exist");
});

test("packages are found in folders above, and through the links of a workspace", async () => {
  await using folder = await makeFolder();
  const top = dirname(folder.root);
  const put = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(join(top, name)), { recursive: true });
    await writeFile(join(top, name), text);
  };
  await put("node_modules/above/package.json", `{"name":"above","main":"index.js"}`);
  await put("node_modules/above/index.js", `import dep from "dep"; export const x = "above " + dep;`);
  await put("node_modules/dep/package.json", `{"name":"dep"}`);
  await put("node_modules/dep/index.js", `module.exports = "with dep";`);
  await put("packages/mine/package.json", `{"name":"mine","exports":"./src/index.ts"}`);
  await put("packages/mine/src/index.ts", `import { y } from "./y.ts"; export const x: string = y;`);
  await put("packages/mine/src/y.ts", `export const y = "workspace";`);
  await put("packages/leaky/package.json", `{"name":"leaky","exports":"./index.ts"}`);
  await put("packages/leaky/index.ts", `export { y as x } from "../mine/src/y.ts";`);
  await put("packages/bare/index.ts", `export const x = "no package.json";`);
  await symlink("../packages/mine", join(top, "node_modules/mine"));
  await symlink("../packages/leaky", join(top, "node_modules/leaky"));
  await symlink("../packages/bare", join(top, "node_modules/bare"));
  expect(await valueOf(folder, "above.x")).toBe("above with dep");
  expect(await valueOf(folder, "mine.x")).toBe("workspace");
  expect(await valueOf(folder, "leaky.x")).toContain('"../mine/src/y.ts" leads out of npm:leaky');
  await folder.put({ "around.ts": `export { x } from "../node_modules/above/index.js";` });
  expect(await valueOf(folder, "around.x")).toContain('"../node_modules/above/index.js" leads out of the folder of the configuration');
  expect(await valueOf(folder, "bare.x")).toContain("leads out of the folder of the configuration");
});

test("two entries may name one file; it is compiled once, and each has its own export", async () => {
  await using folder = await makeFolder({ "hooks/two.ts": `export const a = "a"; export const b = "b";` });
  const { units, ignored } = await folder.load({ hooks: ["hooks.two.a", "hooks.two.b"] });
  expect(units.map(({ exportName, entry, location }) => [exportName, entry, location.line])).toEqual([
    ["a", 0, 200],
    ["b", 1, 201],
  ]);
  expect(units[0]!.hash).not.toBe(units[1]!.hash);
  expect(ignored).toEqual([{ file: "hooks/two.ts", why: `the entry at ${folder.path("ccproxy.yaml")}:200 names it` }]);
});
