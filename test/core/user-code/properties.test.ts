import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { planUnits } from "../../../core/user-code/plan.ts";
import { resolveReference } from "../../../core/user-code/reference.ts";
import { createStackMapper } from "../../../core/user-code/source-map.ts";
import { readCompilerOptions } from "../../../core/user-code/tsconfig.ts";
import { isWithin, type Zone } from "../../../core/user-code/zone.ts";
import { makeFolder } from "./folder.ts";

const pieces = fc.constantFrom(
  "rules",
  "vip",
  "link",
  "out",
  "..",
  ".",
  "/",
  ":",
  "./",
  "../",
  "\\",
  "@",
  "ccproxy",
  "hooks",
  "s3://",
  "~",
  ".ts",
  ".py",
  "node_modules",
  "pkg",
  "default",
  "__proto__",
  "\0",
  " ",
  "é",
  "%2e%2e",
);
const right = fc.constantFrom("./rules/vip.ts", "rules.vip.default", "vip.ts", "pkg.x", "./link/vip.ts", "./out/vip.ts");
const references = fc.oneof(
  right,
  fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")),
  fc.string({ unit: "grapheme", maxLength: 40 }),
);

test("whatever a reference says, it leads to a file of the folder, to a package, or to a fault", async () => {
  await using folder = await makeFolder({
    "rules/vip.ts": "export default 1;",
    "vip.ts": "export default 1;",
    "node_modules/pkg/package.json": `{"name":"pkg"}`,
  });
  await writeFile(join(folder.outside, "vip.ts"), "export default 1;");
  await mkdir(folder.path("link"));
  await symlink(join(folder.outside, "vip.ts"), folder.path("link/vip.ts"));
  await symlink(folder.outside, folder.path("out"));
  const zone: Zone = { kind: "user", root: folder.root, name: "" };
  const context = { zone, registryRuleNames: new Set(["vip"]), readyMadeDirectory: folder.outside };
  const types = new Set<string>();
  await fc.assert(
    fc.asyncProperty(references, fc.constantFrom("rule" as const, "hook" as const), async (reference, kind) => {
      const result = await resolveReference(reference, kind, context);
      types.add(result.type);
      if (result.type === "unresolved") expect(result.why.length).toBeLessThan(1000);
      if (result.type !== "code" || result.entry.type === "package") return;
      expect(result.origin === "ready-made" || isWithin(folder.root, result.entry.path)).toBe(true);
    }),
    { numRuns: 1500 },
  );
  expect(types).toContain("unresolved");
  expect(types).toContain("code");
});

test("whatever a tsconfig.json holds, options come back, and no path leads out by them", async () => {
  await using folder = await makeFolder();
  const json = fc.json().map((text) => text.replaceAll("{", "{/**/"));
  const made = fc
    .record({
      extends: fc.anything(),
      compilerOptions: fc.oneof(fc.anything(), fc.record({ baseUrl: fc.constantFrom("..", ".", "a", "/", 1), paths: fc.anything() })),
    })
    .map((value) => JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part)) ?? "");
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), json, made), async (text) => {
      await folder.put({ "tsconfig.json": text });
      const { raw, files } = await readCompilerOptions(folder.root);
      const { compilerOptions } = JSON.parse(raw) as { compilerOptions: { baseUrl?: string } };
      expect(isWithin(folder.root, compilerOptions.baseUrl ?? folder.root)).toBe(true);
      expect(files.every((file) => isWithin(folder.root, file))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("whatever stands in a stack, it is mapped or left, and stays short", async () => {
  await using folder = await makeFolder({ "rules/a.ts": "export default () => { throw new Error(); };" });
  const [unit] = (await folder.load()).units;
  const map = createStackMapper(unit!.map, unit!.file);
  const line = fc.oneof(
    fc.string(),
    fc.tuple(fc.string(), fc.integer(), fc.integer()).map(([name, row, column]) => `    at ${name} (rules/a.ts:${row}:${column})`),
    fc.tuple(fc.nat(100), fc.nat(100)).map(([row, column]) => `    at rules/a.ts:${row}:${column}`),
  );
  fc.assert(fc.property(fc.array(line), (lines) => map(lines.join("\n")).length <= 4000));
});

test("a plan of nothing is nothing", async () => {
  await using folder = await makeFolder();
  const context = {
    zone: { kind: "user", root: folder.root, name: "" } as const,
    registryRuleNames: new Set<string>(),
    readyMadeDirectory: folder.outside,
  };
  expect(await planUnits({ rules: [], hooks: [], callbacks: [] }, false, context)).toEqual({
    units: [],
    ignored: [],
    faults: [],
    files: [],
  });
});
