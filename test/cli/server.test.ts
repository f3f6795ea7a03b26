import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isProcessAlive } from "../../cli/liveness.ts";
import { readState, type ListeningServer, type ServerState } from "../../cli/state-file.ts";
import { streamReply } from "../helpers/replies.ts";
import { startUpstream } from "../helpers/upstream.ts";
import { createHome, launcher, type Home } from "./command-line.ts";

const mockModels = `model_list:
  - model_name: claude-haiku-5-5
    litellm_params:
      model: anthropic/claude-haiku-5-5
      mock_response: hello from the mock
`;

/** A home whose server listens on a free port, and is stopped when the test ends. */
async function homeWithConfig(models: string = mockModels, settings: string = "ccproxy:\n  port: 0\n"): Promise<Home> {
  const home = await createHome();
  await mkdir(home.directory, { mode: 0o700 });
  await writeFile(join(home.directory, "config.yaml"), models, { mode: 0o600 });
  await writeFile(join(home.directory, "ccproxy.yaml"), settings, { mode: 0o600 });
  onTestFinished(async () => {
    const state = await readState(home.directory).catch(() => undefined);
    if (state !== undefined && state !== "damaged" && (await isProcessAlive(state.pid, state.startMark)))
      process.kill(state.pid, "SIGKILL");
  });
  return home;
}

async function stateOf({ directory }: Home): Promise<ServerState & { readonly server: ListeningServer }> {
  const state = await readState(directory);
  if (state === undefined || state === "damaged" || state.server === null) throw new Error("no server is running");
  return { ...state, server: state.server };
}

async function isReady(url: string): Promise<boolean> {
  return await fetch(`${url}/health/readiness`).then(
    ({ status }) => status === 200,
    () => false,
  );
}

describe("start", () => {
  test("in this terminal: status and stop see it, an interrupt ends it, nothing stays behind", async () => {
    const home = await homeWithConfig();
    const running = home.start(["start"]);
    await running.shows("ccproxy listens on http://127.0.0.1:");
    const { mode, pid, server } = await stateOf(home);
    expect({ mode, pid }).toEqual({ mode: "foreground", pid: running.child.pid });
    expect(await isReady(server.url)).toBe(true);
    expect(await home.ccproxy(["status", "--check"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    running.child.kill("SIGINT");
    expect(await running.finished).toMatchObject({ code: 0 });
    expect(await readState(home.directory)).toBeUndefined();
    expect(await home.ccproxy(["status", "--check"])).toMatchObject({ code: 1, stdout: "", stderr: "" });
  });

  test("in the background: returns when the server is ready, and it lives on until stopped", async () => {
    const home = await homeWithConfig();
    const { code, stdout } = await home.ccproxy(["start", "-d"]);
    const { mode, pid, server } = await stateOf(home);
    expect({ code, mode }).toEqual({ code: 0, mode: "detached" });
    expect(stdout).toContain(server.url);
    expect(await isReady(server.url)).toBe(true);

    const again = await home.ccproxy(["start"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`already running at ${server.url} (process ${pid})`);

    expect(await home.ccproxy(["stop"])).toMatchObject({ code: 0 });
    expect(await isProcessAlive(pid, null)).toBe(false);
    expect(await readState(home.directory)).toBeUndefined();
    const twice = await home.ccproxy(["stop"]);
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining("no server is running") });
  });

  test("several at the same instant: exactly one serves, the others say so", async () => {
    const home = await homeWithConfig();
    const results = await Promise.all(Array.from({ length: 4 }, () => home.ccproxy(["start", "-d"])));
    expect(results.map(({ code }) => String(code)).toSorted()).toEqual(["0", "1", "1", "1"]);
    for (const { code, stderr } of results) if (code === 1) expect(stderr).toMatch(/already running|is starting/);
    expect(await isReady((await stateOf(home)).server.url)).toBe(true);
  });

  test.each([["start"], ["start", "-d"]])(
    "%s %s: a port that is taken is told by its number, and nothing stays behind",
    async (...command) => {
      const home = await homeWithConfig();
      const other = createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      onTestFinished(() => void other.close());
      const { port } = other.address() as AddressInfo;
      const { code, stdout, stderr } = await home.ccproxy([...command, "--port", String(port)]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain(String(port));
      expect(stderr).not.toContain("unexpected error");
      expect(await readState(home.directory)).toBeUndefined();
    },
  );

  test.each([["start"], ["start", "-d"], ["check"], ["run", "true"]])(
    "%s %s: a broken configuration is told with file, line and column",
    async (...command) => {
      const home = await homeWithConfig(
        mockModels,
        "ccproxy:\n  port: 0\n  rules:\n    - name: think\n      rule: ccproxy.rules.ThinkingRul\n",
      );
      const { code, stdout, stderr } = await home.ccproxy(command);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain(`${join(home.directory, "ccproxy.yaml")}:4:7: error`);
      expect(stdout + stderr).toContain("ThinkingRul");
      expect(await readState(home.directory)).toBeUndefined();
    },
  );

  test.each([["start"], ["start", "-d"], ["check"], ["run", "true"], ["trust"]])(
    "%s %s: without a folder it tells to install",
    async (...command) => {
      const { ccproxy, home } = await createHome();
      const { code, stderr } = await ccproxy(command);
      expect(code).toBe(1);
      expect(stderr).toContain('no configuration folder ~/.ccproxy; "ccproxy install"');
      expect(await readdir(home)).toEqual([]);
    },
  );

  test("what a killed server left behind is removed with a note", async () => {
    const home = await homeWithConfig();
    await home.ccproxy(["start", "-d"]);
    const { pid } = await stateOf(home);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => isProcessAlive(pid, null)).toBe(false);
    expect((await home.ccproxy(["status"])).stdout).toContain(`process ${pid} is gone`);
    const { code, stderr } = await home.ccproxy(["start", "-d"]);
    expect(code).toBe(0);
    expect(stderr).toContain(`removed what an earlier server left behind (process ${pid} is gone)`);
    expect((await stateOf(home)).pid).not.toBe(pid);
  });

  test("stop of a server that was killed says so, cleans up and exits 1", async () => {
    const home = await homeWithConfig();
    await home.ccproxy(["start", "-d"]);
    const { pid } = await stateOf(home);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => isProcessAlive(pid, null)).toBe(false);
    const { code, stderr } = await home.ccproxy(["stop"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`process ${pid} is gone`);
    expect(await readState(home.directory)).toBeUndefined();
  });

  test("a background server whose starter vanished before taking note does not live on", async () => {
    const home = await homeWithConfig();
    const child = spawn(process.execPath, [launcher, "start", "--background"], {
      env: { PATH: process.env["PATH"], HOME: home.home },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [message] = await once(child, "message");
    expect(message).toMatchObject({ type: "listening" });
    const exited = once(child, "exit");
    child.disconnect();
    expect(await exited).toEqual([0, null]);
    expect(await readState(home.directory)).toBeUndefined();
  });

  test("HOST, PORT and DEBUG of the environment mean nothing", async () => {
    const home = await homeWithConfig();
    await home.ccproxy(["start", "-d"], { env: { HOST: "0.0.0.0", PORT: "1", DEBUG: "*", LOG_LEVEL: "debug" } });
    const { server } = await stateOf(home);
    expect(server.host).toBe("127.0.0.1");
    expect(server.port).not.toBe(1);
    expect((await home.ccproxy(["logs", "--json"])).stdout).not.toContain('"level":"debug"');
  });

  test("warns of keys that others on the machine can read, and only then", async () => {
    const models = mockModels.replace("mock_response: hello from the mock", "api_key: a-literal-key-0123456789");
    const home = await homeWithConfig(models, "ccproxy:\n  port: 0\n");
    expect((await home.ccproxy(["check"])).stderr).toBe("");
    await chmod(home.directory, 0o755);
    expect((await home.ccproxy(["check"])).stderr).toBe("");
    await chmod(join(home.directory, "config.yaml"), 0o644);
    const { stderr } = await home.ccproxy(["check"]);
    expect(stderr).toContain("chmod 700 ~/.ccproxy; chmod 600 ~/.ccproxy/config.yaml");
    expect(stderr).not.toContain("a-literal-key");
    await writeFile(join(home.directory, "config.yaml"), models.replace("a-literal-key-0123456789", "os.environ/SOME_KEY"));
    expect((await home.ccproxy(["check"], { env: { SOME_KEY: "x" } })).stderr).toBe("");
  });
});

describe("stopping", () => {
  /** A server with one streamed reply under way, which ends when `finish` is called. */
  async function homeWithOpenReply(): Promise<{
    home: Home;
    running: ReturnType<Home["start"]>;
    reply: Promise<string>;
    finish: () => void;
  }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const upstream = await startUpstream(streamReply({ stallAfter: { events: 3 }, stallUntil: promise }));
    onTestFinished(() => upstream.close());
    const home = await homeWithConfig(`model_list:
  - model_name: claude-haiku-5-5
    litellm_params:
      model: anthropic/claude-haiku-5-5
      api_base: ${upstream.url}
      api_key: key-of-the-test
`);
    const running = home.start(["start"]);
    await running.shows("ccproxy listens on");
    const { server } = await stateOf(home);
    const response = await fetch(`${server.url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "claude-haiku-5-5", max_tokens: 10, stream: true, messages: [{ role: "user", content: "hi" }] }),
    });
    expect(response.status).toBe(200);
    return { home, running, reply: response.text(), finish: resolve };
  }

  test("waits for open replies, which end as they should", async () => {
    const { home, running, reply, finish } = await homeWithOpenReply();
    const stop = home.start(["stop"]);
    await stop.shows("waiting for 1 open request");
    await running.shows("stopping");
    finish();
    expect(await reply).toContain("message_stop");
    expect(await stop.finished).toMatchObject({ code: 0 });
    expect(await running.finished).toMatchObject({ code: 0 });
  });

  test("a second signal ends open replies at once, with the protocol's own error", async () => {
    const { home, running, reply } = await homeWithOpenReply();
    const interrupts = setInterval(() => running.child.kill("SIGINT"), 60);
    onTestFinished(() => clearInterval(interrupts));
    await running.finished;
    const text = await reply;
    expect(text).toContain("event: error");
    expect(text).not.toContain("message_stop");
    expect(await readState(home.directory)).toBeUndefined();
  });
});

describe("stop", () => {
  test.runIf(process.platform === "linux")(
    "kills a server that does not react, and cleans up behind it",
    async () => {
      const home = await homeWithConfig(mockModels, "ccproxy:\n  port: 0\n  grace_seconds: 0\n");
      await home.ccproxy(["start", "-d"]);
      const { pid } = await stateOf(home);
      // Stopped by the system, it neither answers nor takes a signal to end.
      process.kill(pid, "SIGSTOP");
      expect((await home.ccproxy(["status"])).stdout).toContain(`process ${pid} is stopping, or hangs`);
      expect((await home.ccproxy(["start"])).stderr).toContain("does not answer");
      const { code, stderr } = await home.ccproxy(["stop"]);
      expect(code).toBe(0);
      expect(stderr).toContain(`process ${pid} did not stop within 8 s; killing it`);
      expect(await isProcessAlive(pid, null)).toBe(false);
      expect(await readState(home.directory)).toBeUndefined();
    },
    40_000,
  );
});

describe("restart", () => {
  test("starts what ran as it ran", async () => {
    const home = await homeWithConfig();
    await home.ccproxy(["start", "-d", "--port", "0", "--host", "127.0.0.1"]);
    const before = await stateOf(home);
    const { code } = await home.ccproxy(["restart"]);
    const after = await stateOf(home);
    expect(code).toBe(0);
    expect(after.pid).not.toBe(before.pid);
    expect(await isProcessAlive(before.pid, null)).toBe(false);
    expect(after).toMatchObject({ mode: "detached", requested: { port: 0, host: "127.0.0.1" } });
  });

  test("starts one where none ran", async () => {
    const home = await homeWithConfig();
    const { code, stderr } = await home.ccproxy(["restart", "-d"]);
    expect(code).toBe(0);
    expect(stderr).toContain("no server was running");
    expect(await isReady((await stateOf(home)).server.url)).toBe(true);
  });
});

describe("status", () => {
  test("tells what is in force, with the last request, and never a secret", async () => {
    const secret = "a-literal-key-0123456789";
    const home = await homeWithConfig(`${mockModels}  - model_name: keyed
    litellm_params:
      model: anthropic/claude-opus-5-5
      api_base: https://api.anthropic.com
      api_key: ${secret}
`);
    await writeFile(
      join(home.directory, "ccproxy.yaml"),
      "ccproxy:\n  port: 0\n  rules:\n    - name: keyed\n      rule: ccproxy.rules.MatchModelRule\n      params: [opus]\n",
    );
    await home.ccproxy(["start", "-d"]);
    const { server } = await stateOf(home);
    expect((await home.ccproxy(["status"])).stdout).toContain("no request yet");
    await fetch(`${server.url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "claude-haiku-5-5", max_tokens: 10, messages: [{ role: "user", content: "hi" }] }),
    }).then((response) => response.text());
    const human = await home.ccproxy(["status"]);
    const json = await home.ccproxy(["status", "--json"]);
    expect([human.code, json.code]).toEqual([0, 0]);
    expect(human.stdout).toMatch(/^ccproxy +running at http:\/\/127\.0\.0\.1:\d+/);
    expect(human.stdout).toMatch(/keyed +ccproxy\.rules\.MatchModelRule/);
    expect(human.stdout).toMatch(/keyed +label +→ claude-opus-5-5 +api\.anthropic\.com, own key/);
    expect(human.stdout).toMatch(/last .* 200 +default +claude-haiku-5-5\n/);
    const report = JSON.parse(json.stdout);
    expect(report).toMatchObject({
      running: true,
      url: server.url,
      log: join(home.directory, "ccproxy.log"),
      last: { modelAsked: "claude-haiku-5-5", status: 200 },
    });
    const token = (await readFile(join(home.directory, "local-token"), "utf8")).trim();
    for (const hidden of [secret, server.controlToken, token]) expect(human.stdout + json.stdout).not.toContain(hidden);
  });

  test("shows a broken edit, and that the last good version stays", async () => {
    const home = await homeWithConfig();
    await home.ccproxy(["start", "-d"]);
    await writeFile(join(home.directory, "ccproxy.yaml"), "ccproxy:\n  ruls: []\n  rules: 7\n");
    await expect
      .poll(async () => (await home.ccproxy(["status"])).stdout, { timeout: 10_000 })
      .toMatch(/refused; what was read before stays in force:\n.*ccproxy\.yaml:/);
    expect(await isReady((await stateOf(home)).server.url)).toBe(true);
  });

  test("of nothing running it tells what to do, in JSON too", async () => {
    const { ccproxy, directory } = await createHome();
    expect(await ccproxy(["status"])).toMatchObject({ code: 0, stdout: expect.stringContaining('"ccproxy install"') });
    const { stdout } = await ccproxy(["status", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ running: false, state: "none", config: { directory, exists: false }, log: null });
  });
});

describe("check", () => {
  test("prints where each label and model goes", async () => {
    const home = await homeWithConfig(
      `${mockModels}  - model_name: background
    litellm_params:
      model: claude-haiku-5-5
`,
      "ccproxy:\n  rules:\n    - name: background\n      rule: ccproxy.rules.MatchModelRule\n      params: [haiku]\n",
    );
    const { code, stdout } = await home.ccproxy(["check"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/background +label +→ claude-haiku-5-5 +mock reply/);
    expect(stdout).toMatch(/OK: ~\/\.ccproxy\/config\.yaml, ~\/\.ccproxy\/ccproxy\.yaml\n$/);
  });

  test.each([
    ["the option before the command", ["--config-dir", "elsewhere", "check"], {}],
    ["the option behind it", ["check", "--config-dir", "elsewhere"], {}],
    ["the variable", ["check"], { CCPROXY_CONFIG_DIR: "elsewhere" }],
    ["the option over the variable", ["check", "--config-dir", "elsewhere"], { CCPROXY_CONFIG_DIR: "not-here" }],
  ])("%s names another folder, as it does for install", async (_what, args, env) => {
    const { ccproxy } = await createHome();
    await ccproxy(["install", "--config-dir", "elsewhere"]);
    expect(await ccproxy(args, { env: { ...env } })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("OK: ~/elsewhere/config.yaml"),
    });
  });

  test("what install writes is without any finding", async () => {
    const { ccproxy } = await createHome();
    await ccproxy(["install"]);
    const { code, stdout, stderr } = await ccproxy(["check"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Rules: none\n/);
    expect(stdout).toMatch(/claude-opus-5-5 +→ claude-opus-5-5 +api\.anthropic\.com, caller's login or key/);
  });

  test("so are the examples in it, once switched on", async () => {
    const { ccproxy, directory } = await createHome();
    await ccproxy(["install"]);
    for (const name of ["ccproxy.yaml", "config.yaml"]) {
      const path = join(directory, name);
      const text = await readFile(path, "utf8");
      // Lines that are YAML behind a comment sign; prose begins with a capital letter.
      await writeFile(path, text.replaceAll(/^( *)# ?( *)(- |[a-z_]+:)/gm, "$1$2$3"));
    }
    // Two of them stand for files of the user's own.
    await writeFile(
      join(directory, "rules", "vip.ts"),
      'import { defineRule } from "ccproxy/sdk";\nexport default defineRule(() => false);\n',
    );
    await writeFile(
      join(directory, "hooks", "lookup.ts"),
      'import { defineHook } from "ccproxy/sdk";\nexport default defineHook({ preCall() {} });\n',
    );
    const { stdout } = await ccproxy(["check"], { env: { LOOKUP_KEY: "x", ZAI_API_KEY: "x", GEMINI_API_KEY: "x", OPENAI_API_KEY: "x" } });
    expect(stdout).not.toMatch(/\berror\b/);
    expect(stdout).toMatch(/background +ccproxy\.rules\.MatchModelRule/);
  });
});
