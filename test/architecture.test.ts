import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { findViolations } from "./helpers/arrows.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function sources(): { file: string; text: string }[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"], { cwd: root, encoding: "utf8" });
  return listed
    .split("\n")
    .filter((file) => /^(sdk|core|plugins|hooks|cli)\//.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") }));
}

describe("the import arrows", () => {
  test("hold in every source file", () => {
    const files = sources();
    expect(files.length).toBeGreaterThan(50);
    expect(findViolations(files)).toEqual([]);
  });

  test.each([
    ["core/stages/x.ts", "../../plugins/anthropic/index.ts"],
    ["core/x.ts", "../cli/main.ts"],
    ["sdk/x.ts", "zod"],
    ["sdk/x.ts", "../core/exchange.ts"],
    ["sdk/x.ts", "node:crypto"],
    ["sdk/hub/x.ts", "zod"],
    ["sdk/hub/x.ts", "../../core/exchange.ts"],
    ["plugins/anthropic/x.ts", "../rules/index.ts"],
    ["plugins/anthropic/x.ts", "../../core/exchange.ts"],
    ["hooks/x.ts", "node:fs"],
    ["cli/x.ts", "../plugins/anthropic/index.ts"],
  ])("are broken by %s importing %s", (file, specifier) => {
    for (const text of [
      `import { x } from "${specifier}";`,
      `export { x } from "${specifier}";`,
      `const x = await import("${specifier}");`,
    ]) {
      expect(findViolations([{ file, text }])).toMatchObject([{ file, specifier }]);
    }
  });

  test("are held by the linter too: a planted violation fails it", () => {
    const copy = mkdtempSync(path.join(tmpdir(), "ccproxy-arrows-"));
    try {
      for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"])
        writeFileSync(path.join(copy, file), readFileSync(path.join(root, file)));
      symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
      for (const folder of ["core", "plugins/a", "sdk"]) mkdirSync(path.join(copy, folder), { recursive: true });
      writeFileSync(path.join(copy, "core/planted.ts"), 'export { x } from "../plugins/a/index.ts";\n');
      writeFileSync(path.join(copy, "plugins/a/planted.ts"), 'export { x } from "../../core/y.ts";\n');
      writeFileSync(path.join(copy, "sdk/planted.ts"), 'export { x } from "../core/y.ts";\n');
      let report = "";
      try {
        execFileSync(path.join(root, "node_modules/.bin/oxlint"), ["core", "plugins", "sdk"], { cwd: copy, encoding: "utf8" });
      } catch (error) {
        report = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
      }
      for (const file of ["core/planted.ts", "plugins/a/planted.ts", "sdk/planted.ts"]) {
        expect(report).toMatch(new RegExp(`no-restricted-imports[^]*?${file}`));
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

test("every dialect folder has the same files", () => {
  const dialects = sources()
    .filter(({ file }) => /^plugins\/[^/]+\/wire\.ts$/.test(file))
    .map(({ file }) => path.dirname(file));
  expect(dialects.length).toBeGreaterThan(0);
  for (const folder of dialects) {
    const files = sources()
      .filter(({ file }) => path.dirname(file) === folder)
      .map(({ file }) => path.basename(file));
    expect(files, folder).toEqual(expect.arrayContaining(["index.ts", "wire.ts", "request.ts", "reply.ts", "errors.ts"]));
  }
});

test("every source file opens with a sentence on its job", () => {
  const silent = sources()
    .filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text))
    .map(({ file }) => file);
  expect(silent).toEqual([]);
});
