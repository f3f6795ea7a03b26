import { chmod, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHome } from "./command-line.ts";

async function modes(directory: string): Promise<Record<string, string>> {
  const names = await readdir(directory, { recursive: true });
  const entries = await Promise.all(
    names.map(async (name) => [name, ((await stat(join(directory, name))).mode & 0o777).toString(8)] as const),
  );
  return Object.fromEntries(entries);
}

describe("install", () => {
  test("makes a folder that only its owner can read, whatever the umask", async () => {
    const { ccproxy, directory } = await createHome();
    const umask = process.umask(0o777);
    const { code, stdout } = await ccproxy(["install"]).finally(() => process.umask(umask));
    expect(code).toBe(0);
    expect(stdout).toContain("ccproxy run claude");
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const { ".sdk": types, ...rest } = await modes(directory);
    expect(types).toBe("700");
    expect(Object.entries(rest).filter(([name, mode]) => name.startsWith(".sdk/") && mode !== "600")).toEqual([]);
    expect(Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith(".sdk/")))).toEqual({
      "ccproxy.yaml": "600",
      "config.yaml": "600",
      "README.md": "600",
      hooks: "700",
      "hooks/README.md": "600",
      rules: "700",
      "rules/README.md": "600",
      "tsconfig.json": "600",
    });
  });

  test("completes a folder that exists, and changes nothing that is there", async () => {
    const { ccproxy, directory } = await createHome();
    await mkdir(join(directory, "rules"), { recursive: true, mode: 0o755 });
    const own = {
      "config.yaml": "mine: true\n",
      "ccproxy.yml": "ccproxy: {}\n",
      "rules/vip.ts": "my rule\n",
      "rules/README.md": "notes\n",
    };
    for (const [name, text] of Object.entries(own)) await writeFile(join(directory, name), text);
    const { code, stdout } = await ccproxy(["install"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Completed ~/.ccproxy");
    expect(stdout).toMatch(/config\.yaml +left as it was/);
    expect(stdout).toMatch(/ccproxy\.yaml +not written: ccproxy\.yml is there/);
    for (const [name, text] of Object.entries(own)) expect(await readFile(join(directory, name), "utf8")).toBe(text);
    const files = await readdir(directory);
    expect(files.toSorted()).toEqual([".sdk", "README.md", "ccproxy.yml", "config.yaml", "hooks", "rules", "tsconfig.json"]);
    expect((await stat(directory)).mode & 0o777).toBe(0o755);
  });

  test("a file in its place is left alone", async () => {
    const { ccproxy, directory } = await createHome();
    await writeFile(directory, "mine");
    expect(await ccproxy(["install"])).toMatchObject({ code: 1, stderr: expect.stringContaining("is not a folder") });
    expect(await readFile(directory, "utf8")).toBe("mine");
  });

  test("with --force replaces its files after a backup, closes the folder, and never touches the user's code", async () => {
    const { ccproxy, directory } = await createHome();
    await ccproxy(["install"]);
    const template = await readFile(join(directory, "config.yaml"), "utf8");
    await writeFile(join(directory, "config.yaml"), "mine: true\n");
    await writeFile(join(directory, "rules", "README.md"), "my notes\n");
    await writeFile(join(directory, "rules", "mine.ts"), "my rule\n");
    await writeFile(join(directory, "local-token"), "token\n");
    await chmod(directory, 0o755);
    const { code } = await ccproxy(["install", "--force"]);
    expect(code).toBe(0);
    const names = await readdir(directory);
    const backups = names.filter((name) => name.endsWith(".bak"));
    expect(backups).toEqual([expect.stringMatching(/^config\.yaml\.\d{4}-\d\d-\d\dT.*\.bak$/)]);
    expect(await readFile(join(directory, backups[0] ?? ""), "utf8")).toBe("mine: true\n");
    expect(await readFile(join(directory, "config.yaml"), "utf8")).toBe(template);
    expect(await readFile(join(directory, "rules", "README.md"), "utf8")).toBe("my notes\n");
    expect(await readFile(join(directory, "rules", "mine.ts"), "utf8")).toBe("my rule\n");
    expect(await readFile(join(directory, "local-token"), "utf8")).toBe("token\n");
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  test.each([
    ["the option before the command", ["--config-dir", "elsewhere", "install"], {}],
    ["the option behind it", ["install", "--config-dir", "elsewhere"], {}],
    ["the variable", ["install"], { CCPROXY_CONFIG_DIR: "elsewhere" }],
    ["the option over the variable", ["install", "--config-dir", "elsewhere"], { CCPROXY_CONFIG_DIR: "not-here" }],
  ])("%s names another folder", async (_what, args, env) => {
    const { ccproxy, home } = await createHome();
    const { code } = await ccproxy(args, { env: { ...env } });
    expect(code).toBe(0);
    expect(await readdir(home)).toEqual(["elsewhere"]);
  });
});
