import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { createHome, type Home } from "./command-line.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What an editor would underline. */
function typeErrors(directory: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(join(root, "node_modules/.bin/tsc"), ["--noEmit", "-p", directory], { cwd: directory }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}

describe("a fresh folder type-checks with no further set-up", () => {
  let home: Home;
  beforeEach(async () => {
    home = await createHome();
    await home.ccproxy(["install"]);
  });

  test("every file that is shipped, and what ccproxy new writes", async () => {
    const { directory, ccproxy } = home;
    const shipped = (await readdir(join(root, "hooks"))).filter((file) => file.endsWith(".ts"));
    expect(shipped.length).toBeGreaterThanOrEqual(14);
    for (const folder of ["rules", "hooks"]) await cp(join(root, "hooks/shared"), join(directory, folder, "shared"), { recursive: true });
    for (const file of shipped) {
      await cp(join(root, "hooks", file), join(directory, file.endsWith("-rule.ts") ? "rules" : "hooks", file));
    }
    await ccproxy(["new", "rule", "mine"]);
    await ccproxy(["new", "hook", "mine"]);
    expect(await typeErrors(directory)).toBe("");
  });

  test.each([
    ["a field that a request does not have", "preCall: (request) => { request.max_tokns = 1; }", "'max_tokns'"],
    [
      "a field that a delta does not have",
      'onEvent: (event) => { if (event.type === "content_block_delta") event.delta.txt; }',
      "'txt' does not exist",
    ],
    ["a phase that does not exist", "preCal: () => {}", "'preCal' does not exist"],
    ["a value of the wrong type", "preCall: (request) => { request.max_tokens = 'many'; }", "not assignable to type 'number"],
    [
      "a parameter of another name",
      "params: { max: param.integer() }, preCall: (_, context) => { context.params.min; }",
      "'min' does not exist",
    ],
    ["what Node has and the sandbox has not", "preCall: () => { setTimeout(() => {}, 1); }", "Cannot find name 'setTimeout'"],
    ["a decision of the wrong form", "preCall: () => deny('400', 'no')", "not assignable to parameter of type 'number'"],
  ])("%s is an error", async (_case, member, message) => {
    const text = `import { defineHook, deny, param } from "ccproxy/sdk";\nexport default defineHook({ ${member} });\nexport const used = [deny, param];\n`;
    await writeFile(join(home.directory, "hooks/mine.ts"), text);
    const errors = await typeErrors(home.directory);
    expect(errors).toMatch(/^hooks\/mine\.ts\(2,\d+\): error/);
    expect(errors).toContain(message);
  });

  test("what the configuration loads is compiled with these options, and without a finding", async () => {
    await writeFile(
      join(home.directory, "rules/a.ts"),
      'import { defineRule } from "ccproxy/sdk";\nexport default defineRule(() => false);\n',
    );
    const { code, stdout } = await home.ccproxy(["check"]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("warning: extends");
    expect(stdout).not.toContain(".sdk");
  });

  test("types of another version are renewed by install, and by a server that starts", async () => {
    const { directory, ccproxy, start } = home;
    const file = join(directory, ".sdk/define.ts");
    const wanted = await readFile(file, "utf8");
    await writeFile(file, "old");
    expect((await ccproxy(["install"])).stdout).toMatch(/\.sdk\/ +written/);
    expect(await readFile(file, "utf8")).toBe(wanted);
    expect((await ccproxy(["install"])).stdout).toMatch(/\.sdk\/ +is up to date/);

    await writeFile(file, "old");
    const server = start(["start", "--port", "0"]);
    await server.shows("listens on");
    expect(await readFile(file, "utf8")).toBe(wanted);
    server.child.kill("SIGTERM");
    await server.finished;
  });

  test("a tsconfig.json of the user's own is left alone, and told how to know the types", async () => {
    const { directory, ccproxy } = home;
    await writeFile(join(directory, "tsconfig.json"), '{ "compilerOptions": { "strict": true } }');
    const { stdout } = await ccproxy(["install", "--force"]);
    expect(stdout).toContain('let it extend "./.sdk/tsconfig.json"');
    expect(await readFile(join(directory, "tsconfig.json"), "utf8")).toBe('{ "compilerOptions": { "strict": true } }');
  });
});

test("a folder without types gets none by starting a server", async () => {
  const { directory, start } = await createHome();
  await mkdir(directory);
  await writeFile(join(directory, "config.yaml"), "model_list: []\n");
  const server = start(["start", "--port", "0"]);
  await server.shows("listens on");
  server.child.kill("SIGTERM");
  await server.finished;
  expect(await readdir(directory)).not.toContain(".sdk");
  await rm(directory, { recursive: true });
});
