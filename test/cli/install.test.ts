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
    expect(await modes(directory)).toEqual({
      "ccproxy.yaml": "600",
      "config.yaml": "600",
      "README.md": "600",
      hooks: "700",
      "hooks/README.md": "600",
      rules: "700",
      "rules/README.md": "600",
    });
  });

  test("leaves a folder that exists alone, even an empty one", async () => {
    const { ccproxy, directory } = await createHome();
    await mkdir(directory, { mode: 0o755 });
    const { code, stderr } = await ccproxy(["install"]);
    expect(code).toBe(1);
    expect(stderr).toContain("--force");
    expect(await readdir(directory)).toEqual([]);
    expect((await stat(directory)).mode & 0o777).toBe(0o755);
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
