import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { readState } from "../../cli/state-file.ts";
import { createHome, launcher, type Home } from "./command-line.ts";

const models = `model_list:
  - model_name: claude-haiku-5-5
    litellm_params:
      model: anthropic/claude-haiku-5-5
      mock_response: hello from the mock
  - model_name: elsewhere
    litellm_params:
      model: anthropic/claude-opus-5-5
      mock_response: hello from elsewhere
`;

async function homeWithConfig(settings: string = "port: 0"): Promise<Home> {
  const home = await createHome();
  await mkdir(home.directory, { mode: 0o700 });
  await writeFile(join(home.directory, "config.yaml"), models);
  await writeFile(join(home.directory, "ccproxy.yaml"), `ccproxy:\n  ${settings}\n`);
  return home;
}

/** Arguments that make Node print what a script yields. */
function script(source: string): string[] {
  return [process.execPath, "--input-type=module", "--eval", source];
}

const printEnvironment = script("console.log(JSON.stringify(process.env))");
const askForHello = script(`
  const response = await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "claude-haiku-5-5", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }),
  });
  console.log(response.status, response.headers.get("x-ccproxy-label"), (await response.json()).content?.[0].text);
`);

describe("run without a server", () => {
  test("gives the command a proxy of its own, says so in one line, and takes it away afterwards", async () => {
    const home = await homeWithConfig();
    const { code, stdout, stderr } = await home.ccproxy(["run", ...printEnvironment]);
    const env: Record<string, string> = JSON.parse(stdout);
    const url = env["ANTHROPIC_BASE_URL"] ?? "";
    expect(code).toBe(0);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(env).toMatchObject({ OPENAI_BASE_URL: url, OPENAI_API_BASE: url, CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1" });
    expect(stderr).toBe(`ccproxy: no server is running, so node gets one of its own at ${url} (log in ~/.ccproxy/ccproxy.log)\n`);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
    expect(await readState(home.directory)).toBeUndefined();
  });

  test("requests reach their model", async () => {
    const home = await homeWithConfig();
    expect((await home.ccproxy(["run", ...askForHello])).stdout).toBe("200 default hello from the mock\n");
    expect((await home.ccproxy(["logs"])).stdout).toMatch(/200 {2}default {2}claude-haiku-5-5 /);
  });

  test("a command that does not exist gives 127, one that cannot be executed 126", async () => {
    const home = await homeWithConfig();
    expect(await home.ccproxy(["run", "no-such-command"])).toMatchObject({
      code: 127,
      stderr: "ccproxy: command not found: no-such-command\n",
    });
    const file = join(home.home, "plain");
    await writeFile(file, "text\n");
    expect(await home.ccproxy(["run", file])).toMatchObject({
      code: 126,
      stderr: `ccproxy: ${file} cannot be executed: permission denied\n`,
    });
  });
});

describe("run with a server", () => {
  test("uses it and says nothing", async () => {
    const home = await homeWithConfig();
    const server = home.start(["start"]);
    await server.shows("ccproxy listens on");
    const { stdout, stderr } = await home.ccproxy(["run", ...printEnvironment]);
    const state = await readState(home.directory);
    expect(state).toMatchObject({ server: { url: JSON.parse(stdout).ANTHROPIC_BASE_URL } });
    expect(stderr).toBe("");
  });

  test("with local_auth, holds the token that others lack", async () => {
    const home = await homeWithConfig("local_auth: true\n  port: 0");
    const server = home.start(["start"]);
    await server.shows("ccproxy listens on");
    const { stdout } = await home.ccproxy(["run", ...printEnvironment]);
    const url: string = JSON.parse(stdout).ANTHROPIC_BASE_URL;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/_run\/[\w-]{43}\/-$/);
    expect((await home.ccproxy(["run", ...askForHello])).stdout).toBe("200 default hello from the mock\n");
    const bare = url.replace(/\/_run\/.*/, "");
    const refused = await home.ccproxy(["run", "env", `ANTHROPIC_BASE_URL=${bare}`, ...askForHello]);
    expect(refused.stdout).toMatch(/^401 /);
  });

  test("with a master key, needs it no more than its owner does", async () => {
    const home = await homeWithConfig();
    await appendFile(join(home.directory, "config.yaml"), "general_settings:\n  master_key: sk-the-master-key\n");
    const { stdout } = await home.ccproxy(["run", ...printEnvironment]);
    expect(stdout).not.toContain("sk-the-master-key");
    expect((await home.ccproxy(["run", ...askForHello])).stdout).toBe("200 default hello from the mock\n");
    const refused = await home.ccproxy([
      "run",
      "sh",
      "-c",
      `ANTHROPIC_BASE_URL="\${ANTHROPIC_BASE_URL%/_run/*}" exec "$@"`,
      "sh",
      ...askForHello,
    ]);
    expect(refused.stdout).toMatch(/^401 /);
  });
});

describe("the command", () => {
  test.each([
    [["run", "printf", "%s|", "--help", "--config-dir", "x", "--", "-V"], "--help|--config-dir|x|--|-V|"],
    [["run", "--", "printf", "%s|", "-x"], "-x|"],
  ])("gets its arguments as they are: %j", async (args, wanted) => {
    const home = await homeWithConfig();
    expect((await home.ccproxy(args)).stdout).toBe(wanted);
  });

  test("options before it are ours", async () => {
    const home = await homeWithConfig();
    const { code, stderr } = await home.ccproxy(["run", "--config-dir", "nowhere", "true"]);
    expect(code).toBe(1);
    expect(stderr).toContain("~/nowhere");
  });

  test.each([
    ["exit 7", 7],
    ["kill -TERM $$", 143],
    ["kill -KILL $$", 137],
  ])("`%s` gives the exit code %i", async (source, wanted) => {
    const home = await homeWithConfig();
    expect(await home.ccproxy(["run", "sh", "-c", source])).toMatchObject({ code: wanted, signal: null });
  });

  test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)("is sent %s and decides itself", async (signal) => {
    const home = await homeWithConfig();
    const source = `process.once("${signal}", () => { console.log("got it"); process.exitCode = 5; clearInterval(wait); });
      const wait = setInterval(() => {}, 1000); console.log("ready");`;
    const running = home.start(["run", ...script(source)]);
    await running.shows("ready");
    running.child.kill(signal);
    expect(await running.finished).toMatchObject({ code: 5, stdout: "ready\ngot it\n" });
  });

  test.runIf(process.platform === "linux")("has the terminal to itself, and Ctrl-C arrives once", async () => {
    const home = await homeWithConfig();
    const source = `let count = 0; process.on("SIGINT", () => { count += 1; setTimeout(() => { console.log("interrupts:", count); process.exit(3); }, 300); });
      process.stdin.resume(); console.log("terminal:", process.stdin.isTTY, process.stdout.isTTY, process.stderr.isTTY);`;
    await writeFile(join(home.home, "child.mjs"), source);
    // script(1) makes a terminal; the pipe types Ctrl-C once the child has said that it is ready.
    const typing = `(until grep -q terminal: typed 2>/dev/null; do sleep 0.05; done; printf '\\003'; until grep -q interrupts: typed; do sleep 0.05; done)`;
    const command = `exec ${process.execPath} ${launcher} run ${process.execPath} child.mjs`;
    const { stdout, status } = spawnSync("bash", ["-c", `${typing} | script -qefc '${command}' typed`], {
      cwd: home.home,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: home.home },
      timeout: 15_000,
    });
    expect(stdout).toContain("terminal: true true true");
    expect(stdout).toContain("interrupts: 1");
    expect(status).toBe(3);
  });
});

describe("the rules of a project", () => {
  async function homeWithProject(): Promise<{ home: Home; project: string }> {
    const home = await homeWithConfig();
    const project = join(home.home, "work", "project");
    await mkdir(join(project, "deep"), { recursive: true });
    await writeFile(
      join(project, ".ccproxyrc"),
      "rules:\n  - name: elsewhere\n    rule: ccproxy.rules.MatchModelRule\n    params: [haiku]\n",
    );
    return { home, project };
  }

  // A dozen programs, one after the other.
  test("count once they are trusted, as long as they stay the same, for commands run there", { timeout: 60_000 }, async () => {
    const { home, project } = await homeWithProject();
    const cwd = join(project, "deep");
    const before = await home.ccproxy(["run", ...askForHello], { cwd });
    expect(before.stdout).toBe("200 default hello from the mock\n");
    expect(before.stderr).toContain('the rules in ~/work/project/.ccproxyrc are not in force; "ccproxy trust"');

    const trusting = await home.ccproxy(["trust"], { cwd });
    expect(trusting).toMatchObject({ code: 0, stderr: "" });
    expect(trusting.stdout).toMatch(/elsewhere +ccproxy\.rules\.MatchModelRule/);
    const after = await home.ccproxy(["run", ...askForHello], { cwd });
    expect(after.stdout).toBe("200 elsewhere hello from elsewhere\n");
    expect(after.stderr).not.toContain("trust");
    expect((await home.ccproxy(["run", ...askForHello])).stdout).toBe("200 default hello from the mock\n");

    await writeFile(join(project, ".ccproxyrc"), "rules: []\n");
    expect((await home.ccproxy(["run", "true"], { cwd })).stderr).toContain("not in force");
  });

  test("can be listed and taken back", async () => {
    const { home, project } = await homeWithProject();
    expect((await home.ccproxy(["trust", "--list"])).stdout).toBe("no project file is trusted\n");
    await home.ccproxy(["trust"], { cwd: project });
    expect((await home.ccproxy(["trust", "--list"])).stdout).toMatch(/^[0-9a-f]{12} {2}\d{4}-/);
    expect(await home.ccproxy(["trust", "--remove"], { cwd: project })).toMatchObject({ code: 0 });
    expect((await home.ccproxy(["run", ...askForHello], { cwd: project })).stdout).toBe("200 default hello from the mock\n");
    expect(await home.ccproxy(["trust", "--remove"], { cwd: project })).toMatchObject({ code: 1 });
  });

  test.each([
    ["a label that is not the user's", "rules:\n  - name: elsewhera\n    rule: ccproxy.rules.ImageRule\n", 'Did you mean "elsewhere"'],
    ["a rule that does not exist", "rules:\n  - name: elsewhere\n    rule: ccproxy.rules.NoRule\n", "NoRule"],
    ["anything but rules", "oat_sources:\n  anthropic: cat /etc/passwd\n", "oat_sources"],
  ])("are not trusted with %s", async (_what, text, wanted) => {
    const { home, project } = await homeWithProject();
    await writeFile(join(project, ".ccproxyrc"), text);
    const { code, stderr } = await home.ccproxy(["trust"], { cwd: project });
    expect(code).toBe(1);
    expect(stderr).toContain(wanted);
    expect((await home.ccproxy(["trust", "--list"])).stdout).toBe("no project file is trusted\n");
  });

  test("are looked for, and what was looked for is told when there are none", async () => {
    const home = await homeWithConfig();
    const folder = join(home.home, "empty");
    await mkdir(folder);
    const { code, stderr } = await home.ccproxy(["trust"], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain(".ccproxyrc");
  });
});
