import { mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHome } from "./command-line.ts";

describe("new", () => {
  test.each([
    ["rule", "VipUsers", "vip-users"],
    ["hook", "log_it.ts", "log-it"],
  ])("writes a %s with a test that passes, and is loaded without an entry", async (kind, given, name) => {
    const { ccproxy, directory } = await createHome();
    await ccproxy(["install"]);
    const { code, stdout, stderr } = await ccproxy(["new", kind, given]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Wrote ${kind}s/${name}.ts and ${kind}s/${name}.test.ts`);
    expect(stdout).toContain(`ccproxy test ${kind}s/${name}.test.ts`);
    expect((await stat(join(directory, `${kind}s`, `${name}.ts`))).mode & 0o777).toBe(0o600);

    const tested = await ccproxy(["test"]);
    expect(tested).toMatchObject({ code: 0, stderr: "" });
    expect(tested.stdout).toMatch(/\n3 passed\n$/);
    const checked = await ccproxy(["check"]);
    expect(checked.code).toBe(0);
    expect(checked.stdout).toMatch(new RegExp(`${kind}s/${name}\\.ts +${kind}`));
  });

  test("never overwrites: neither the file nor its test", async () => {
    const { ccproxy, directory } = await createHome();
    await ccproxy(["install"]);
    await writeFile(join(directory, "rules", "mine.test.ts"), "my test\n");
    const { code, stderr } = await ccproxy(["new", "rule", "mine"]);
    expect(code).toBe(1);
    expect(stderr).toContain("rules/mine.test.ts exists already");
    expect((await readdir(join(directory, "rules"))).toSorted()).toEqual(["README.md", "mine.test.ts"]);
    expect(await readFile(join(directory, "rules", "mine.test.ts"), "utf8")).toBe("my test\n");
  });

  test("works in a folder of an older version, which has neither rules/ nor types", async () => {
    const { ccproxy, directory } = await createHome();
    await mkdir(directory);
    await writeFile(join(directory, "config.yaml"), "model_list: []\n");
    expect((await ccproxy(["new", "hook", "mine"])).code).toBe(0);
    expect((await readdir(directory)).toSorted()).toEqual([".sdk", "config.yaml", "hooks"]);
  });

  test.each(["../up", "a b!", "1st", "-x", "a--b", "", "ä"])("%j is no name", async (name) => {
    const { ccproxy } = await createHome();
    await ccproxy(["install"]);
    const { code, stderr } = await ccproxy(["new", "rule", "--", name]);
    expect(code).toBe(2);
    expect(stderr).toContain("cannot be a name");
  });

  test("says what it can write", async () => {
    const { ccproxy } = await createHome();
    const { code, stderr } = await ccproxy(["new", "plugin", "x"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/rule, hook/);
  });

  test("needs a folder", async () => {
    const { ccproxy } = await createHome();
    expect(await ccproxy(["new", "rule", "x"])).toMatchObject({ code: 1, stderr: expect.stringContaining("ccproxy install") });
  });
});
