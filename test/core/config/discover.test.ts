import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findConfigDirectory, findProjectFile, ProjectFileError } from "../../../core/config/discover.ts";
import { parseProject } from "../../../core/config/project.ts";

let home = "";
let project = "";

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "ccproxy-home-")));
  project = join(home, "code", "project");
  await mkdir(project, { recursive: true });
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function put(file: string, content: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

test("the option wins over the variable, the variable over the default", async () => {
  const environment = { CCPROXY_CONFIG_DIR: "from-variable", CONFIG_DIR: "never", HOME: "/never" };
  const options = { environment, home, cwd: project };
  expect(await findConfigDirectory({ ...options, flag: "from-flag" })).toEqual({
    directory: join(project, "from-flag"),
    from: "flag",
    configFile: undefined,
  });
  expect(await findConfigDirectory({ ...options, flag: undefined })).toMatchObject({
    directory: join(project, "from-variable"),
    from: "environment",
  });
  expect(await findConfigDirectory({ ...options, environment: { CCPROXY_CONFIG_DIR: " " } })).toMatchObject({
    directory: join(home, ".ccproxy"),
    from: "default",
  });
});

test("the configuration file of the folder is named, under either ending", async () => {
  const directory = join(home, ".ccproxy");
  const file = await put(join(directory, "config.yml"), "model_list: []\n");
  expect((await findConfigDirectory({ environment: {}, home, cwd: project })).configFile).toBe(file);
  const first = await put(join(directory, "config.yaml"), "model_list: []\n");
  expect((await findConfigDirectory({ environment: {}, home, cwd: project })).configFile).toBe(first);
});

test.for([".ccproxyrc", ".ccproxyrc.yaml", ".ccproxyrc.yml", ".ccproxyrc.json"])(
  "%s is found from a folder below it, with its text untouched",
  async (name) => {
    const content = name.endsWith("json") ? '{ "rules": [ ] }\n' : "rules:   []  # comment\r\n";
    const file = await put(join(project, name), content);
    const below = join(project, "a", "b");
    await mkdir(below, { recursive: true });
    expect(await findProjectFile(below, home)).toEqual({ file, content, origin: { line: 1, column: 1 } });
  },
);

test("of package.json only the part that is ours is taken, with its place", async () => {
  const rules = '{\n    "rules": [\n      {"name": "é", "rule": "ccproxy.rules.R"},\n      {"name": "b"}\n    ]\n  }';
  const file = await put(join(project, "package.json"), `{\n  "name": "é",\n  "ccproxy": ${rules},\n  "version": "1"\n}\n`);
  const found = await findProjectFile(project, home);
  expect(found).toEqual({ file, content: rules, origin: { line: 3, column: 14 } });
  const { faults } = parseProject(found!.content, found!.file, found!.origin);
  expect(faults).toMatchObject([{ line: 6, column: 7, path: "rules[1].rule" }]);

  await put(file, `{"version": "2",\n  "ccproxy": ${rules}}`);
  expect((await findProjectFile(project, home))!.content).toBe(rules);
});

test("a package.json without our part, or a broken one, is passed over", async () => {
  const file = await put(join(home, "code", ".ccproxyrc"), "rules: []\n");
  await put(join(project, "package.json"), '{"name": "x"}');
  expect((await findProjectFile(project, home))?.file).toBe(file);
  await put(join(project, "package.json"), "{broken");
  expect((await findProjectFile(project, home))?.file).toBe(file);
  await put(join(project, "package.json"), "[]");
  expect((await findProjectFile(project, home))?.file).toBe(file);
});

test("the search ends below the home folder", async () => {
  await put(join(home, ".ccproxyrc"), "rules: []\n");
  expect(await findProjectFile(project, home)).toBeUndefined();
  expect(await findProjectFile(home, home)).toBeUndefined();
});

test("a file that is a link out of its folder is refused, one inside it is read", async () => {
  await put(join(home, "elsewhere.yaml"), "rules: []\n");
  await symlink(join(home, "elsewhere.yaml"), join(project, ".ccproxyrc"));
  await expect(findProjectFile(project, home)).rejects.toThrow(ProjectFileError);
  await expect(findProjectFile(project, home)).rejects.toThrow("leads out of its folder");
  await rm(join(project, ".ccproxyrc"));
  await put(join(project, "real.yaml"), "rules: []\n");
  await symlink("real.yaml", join(project, ".ccproxyrc"));
  expect((await findProjectFile(project, home))?.content).toBe("rules: []\n");
});

test("a link to an endless file is never opened", async () => {
  await symlink("/dev/zero", join(project, ".ccproxyrc.json"));
  await expect(findProjectFile(project, home)).rejects.toThrow("leads out of its folder");
  await rm(join(project, ".ccproxyrc.json"));
  await symlink("/dev/zero", join(project, "package.json"));
  expect(await findProjectFile(project, home)).toBeUndefined();
});

test("a named pipe is not waited for, a large file not read", async () => {
  await promisify(execFile)("mkfifo", [join(project, ".ccproxyrc")]);
  await expect(findProjectFile(project, home)).rejects.toThrow("not a regular file");
  await rm(join(project, ".ccproxyrc"));
  await put(join(project, ".ccproxyrc"), "#".repeat(1_048_577));
  await expect(findProjectFile(project, home)).rejects.toThrow("at most 1048576");
});

test("a key that means an import to cosmiconfig is a key like others", async () => {
  await put(join(project, "other.yaml"), "rules: []\n");
  await put(join(project, ".ccproxyrc"), "$import: other.yaml\n");
  const found = await findProjectFile(project, home);
  expect(found?.content).toBe("$import: other.yaml\n");
  expect(parseProject(found!.content, "f").faults).toMatchObject([{ severity: "error", path: '["$import"]' }]);
});

test("nothing of a cloned repository is run, and none of its settings for cosmiconfig count", async () => {
  const planted = (file: string): Promise<string> =>
    put(
      join(project, file),
      `require("node:fs").writeFileSync(${JSON.stringify(join(project, `RAN-${file.replaceAll("/", "-")}`))}, "x");\nmodule.exports = { rules: [] };\n`,
    );
  const names = [".ccproxyrc.js", ".ccproxyrc.cjs", ".ccproxyrc.ts", "ccproxy.config.js", "ccproxy.config.cjs", "ccproxy.config.ts"];
  const meta = [".config/config.js", ".config/config.cjs", ".config/config.ts", ".config/ccproxyrc.js", "evil.cjs"];
  for (const file of [...names, ...meta]) await planted(file);
  for (const [file, form] of [
    [".config/config.mjs", "import"],
    ["ccproxy.config.mjs", "import"],
  ]) {
    await put(
      join(project, file!),
      `${form} fs from "node:fs"; fs.writeFileSync(${JSON.stringify(join(project, "RAN-module"))}, "x"); export default {};\n`,
    );
  }
  await put(
    join(project, "package.json"),
    JSON.stringify({
      cosmiconfig: { searchPlaces: ["evil.cjs"], mergeSearchPlaces: false, packageProp: "evil", $import: "./evil.cjs" },
      evil: { rules: [] },
    }),
  );
  await put(join(project, ".ccproxyrc"), "rules: []\n");

  // In a process of its own, standing in the repository as `ccproxy run` does.
  const module = join(import.meta.dirname, "../../../core/config/discover.ts");
  const script = `
    const { findProjectFile, findConfigDirectory } = await import(${JSON.stringify(module)});
    const found = await findProjectFile(process.cwd(), ${JSON.stringify(home)});
    await findConfigDirectory({ environment: {}, home: ${JSON.stringify(home)}, cwd: process.cwd() });
    await new Promise((resolve) => setImmediate(resolve));
    console.log(JSON.stringify({ found, cwd: process.cwd() }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { cwd: project });
  expect(JSON.parse(stdout)).toEqual({
    found: { file: join(project, ".ccproxyrc"), content: "rules: []\n", origin: { line: 1, column: 1 } },
    cwd: project,
  });
  expect((await readdir(project)).filter((name) => name.startsWith("RAN"))).toEqual([]);
});
