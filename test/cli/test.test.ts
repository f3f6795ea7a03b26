import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHome, type Home } from "./command-line.ts";

async function homeWith(files: Readonly<Record<string, string>>): Promise<Home> {
  const home = await createHome();
  for (const [name, text] of Object.entries(files)) {
    const path = join(home.directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return home;
}

const imports = 'import { expect, makeContext, makeReply, makeRequest, runHook, runRule, test } from "ccproxy/sdk/testing";\n';

const rule = `import { defineRule } from "ccproxy/sdk";
interface Wanted { readonly a: number }
export default defineRule((request) => {
  const wanted: Wanted | null = JSON.parse(request.model);
  return wanted!.a > 1;
});
`;

describe("test", () => {
  test("runs all files, says what failed and where, and exits 1", async () => {
    const { ccproxy } = await homeWith({
      "rules/vip.ts": rule,
      "rules/vip.test.ts": `${imports}import rule from "./vip.ts";

test("passes", async () => {
  expect(await runRule(rule, makeRequest({ model: '{"a":2}' }))).toBe(true);
});
test("fails", async () => {
  console.log("asked", { a: 1 });
  expect(await runRule(rule, makeRequest({ model: '{"a":1}' }))).toBe(true);
});
test("throws in the rule", async () => {
  await runRule(rule, makeRequest({ model: "null" }));
});
`,
      "hooks/deep/ok.test.ts": `${imports}test("deep", () => expect([1, { a: 2 }]).toContain({ a: 2 }));\n`,
    });
    const { code, stdout, stderr } = await ccproxy(["test"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain("✓ passes");
    expect(stdout).toMatch(/✗ fails\n +expected false to be true\n +at rules\/vip\.test\.ts:9:\d+\n +9 \| +expect\(await/);
    expect(stdout).toMatch(/✗ throws in the rule\n +TypeError: .*null.*\n +at rules\/vip\.ts:5:\d+\n/);
    expect(stdout).toContain('│ asked {"a":1}');
    expect(stdout).toContain("✓ deep");
    expect(stdout).toMatch(/2 passed, 2 failed\n$/);
  });

  test("tells as JSON", async () => {
    const { ccproxy } = await homeWith({ "rules/a.test.ts": `${imports}test("one", () => expect(1).toBe(2));\ntest("two", () => {});\n` });
    const { code, stdout } = await ccproxy(["test", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      passed: 1,
      failed: 1,
      files: [
        {
          file: "rules/a.test.ts",
          faults: [],
          tests: [
            { name: "one", ok: false, error: { message: "expected 1 to be 2", position: { file: "rules/a.test.ts", line: 2 } } },
            { name: "two", ok: true },
          ],
        },
      ],
    });
  });

  test("one file, named from anywhere", async () => {
    const { ccproxy, directory } = await homeWith({
      "rules/a.test.ts": `${imports}test("a", () => {});\n`,
      "rules/b.test.ts": `${imports}test("b", () => {});\n`,
      "../elsewhere/help.ts": "export const two = 2;\n",
      "../elsewhere/c.test.ts": `${imports}import { two } from "./help.ts";\ntest("c", () => expect(two).toBe(2));\n`,
    });
    for (const [file, options] of [
      ["rules/a.test.ts", {}],
      ["a.test.ts", { cwd: join(directory, "rules") }],
      [join(directory, "rules/a.test.ts"), {}],
    ] as const) {
      expect((await ccproxy(["test", file], options)).stdout).toMatch(/✓ a\n\n1 passed\n$/);
    }
    expect(await ccproxy(["test", "elsewhere/c.test.ts"])).toMatchObject({ code: 0, stdout: expect.stringContaining("✓ c") });
    expect(await ccproxy(["test", "rules/x.test.ts"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no file rules/x.test.ts"),
    });
  });

  test("what cannot be compiled, loaded or ended is told, and the others run all the same", async () => {
    const { ccproxy } = await homeWith({
      "rules/a-syntax.test.ts": `${imports}test("x", () => {\n`,
      "rules/b-node.test.ts": `${imports}import fs from "node:fs";\ntest("x", () => expect(fs).toBe(1));\n`,
      "rules/c-load.test.ts": `${imports}throw new Error("at load");\n`,
      "rules/d-loop.test.ts": `${imports}test("x", () => {\n  for (;;) {}\n});\n`,
      "rules/e-empty.test.ts": "export {};\n",
      "rules/f.test.ts": `${imports}test("fine", () => {});\n`,
    });
    const { code, stdout } = await ccproxy(["test"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/a-syntax\.test\.ts:\d+:\d+: error: /);
    expect(stdout).toMatch(/b-node\.test\.ts:2:\d+: error: .*node:fs/i);
    expect(stdout).toMatch(/c-load\.test\.ts:2:\d+: error: .*at load/);
    expect(stdout).toMatch(/d-loop\.test\.ts:3:\d+: error: .*without an end/);
    expect(stdout).toContain("e-empty.test.ts holds no test");
    expect(stdout).toContain("✓ fine");
    expect(stdout).toMatch(/1 passed, 4 files not run\n$/);
  });

  test("the sandbox is the real one: nothing of Node is there", async () => {
    const { ccproxy } = await homeWith({
      "rules/a.test.ts": `${imports}test("bare", () => {
  for (const name of ["process", "require", "WebAssembly", "SharedArrayBuffer"]) expect(name in globalThis).toBe(false);
});
test("frozen", () => expect(() => { "use strict"; (Array.prototype as unknown as { x: number }).x = 1; }).toThrow(TypeError.name === "TypeError" ? /x/ : ""));
`,
    });
    expect(await ccproxy(["test"])).toMatchObject({ code: 0, stdout: expect.stringContaining("2 passed") });
  });

  test("without any test it says how to begin", async () => {
    const { ccproxy } = await homeWith({ "rules/vip.ts": rule });
    expect(await ccproxy(["test"])).toMatchObject({ code: 1, stderr: expect.stringContaining("ccproxy new rule NAME") });
  });
});
