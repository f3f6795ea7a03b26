import { spawn } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startUpstream } from "../helpers/upstream.ts";
import { createHome, launcher, observe, type Home } from "./command-line.ts";

const github = "ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3";
const request = { model: "claude-sonnet-5-5", max_tokens: 100_000, messages: [{ role: "user", content: `deploy with ${github}, please` }] };

const files = {
  "ccproxy.yaml": `ccproxy:
  hooks:
    - ccproxy.hooks.redact_secrets
    - hook: ./hooks/cap.ts
      params: { max: 5000 }
  rules:
    - name: think
      rule: ccproxy.rules.ThinkingRule
    - name: deploy
      rule: ccproxy.rules.KeywordRule
      params: { words: [deploy] }
`,
  "hooks/cap.ts": `import { defineHook, param } from "ccproxy/sdk";
export default defineHook({
  params: { max: param.integer() },
  preCall(request, context) {
    context.log("asked for", request.max_tokens);
    if (request.max_tokens !== undefined) request.max_tokens = context.params.max;
    if (request.stop_sequences !== undefined) throw new Error("no stops");
  },
});
`,
};

async function homeWith(apiBase: string, more: Readonly<Record<string, string>> = {}): Promise<Home> {
  const home = await createHome();
  const models = ["claude-sonnet-5-5", "deploy", "think"].map(
    (name) => `  - model_name: ${name}
    litellm_params: { model: anthropic/claude-opus-5-5, api_base: "${apiBase}", api_key: sk-ant-deployment-key }
    model_info: { id: "to-${name}" }
`,
  );
  const all = { ...files, "config.yaml": `model_list:\n${models.join("")}`, "../request.json": JSON.stringify(request), ...more };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(home.directory, name)), { recursive: true });
    await writeFile(join(home.directory, name), text, { mode: 0o600 });
  }
  return home;
}

const nowhere = "http://127.0.0.1:9";

describe("explain a request that is not sent", () => {
  test("tells what ran, what it changed, and where the request would go", async () => {
    const { ccproxy } = await homeWith(nowhere);
    const { code, stdout, stderr } = await ccproxy(["explain", "request.json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("request.json: claude-sonnet-5-5, 1 message");
    expect(stdout).toMatch(/preCall +hooks\/cap\.ts +changed +\d+ µs\n +max_tokens\n +- 100000\n +\+ 5000\n/);
    expect(stdout).toMatch(/rules +ccproxy\.rules\.ThinkingRule +no match +\d+ µs\n/);
    expect(stdout).toMatch(/rule +ccproxy:hooks\/keyword-rule\.ts +matched → deploy +\d+ µs\n/);
    expect(stdout).toMatch(/- "deploy with ghp_\w+, please"\n +\+ "deploy with SECRET_GITHUB_TOKEN_[0-9a-f]{16}, please"\n/);
    expect(stdout).toContain("│ hooks/cap.ts: asked for 100000");
    expect(stdout).toContain(
      `Goes to claude-opus-5-5 at to-deploy, ${nowhere}/v1/messages (label deploy, given by ccproxy:hooks/keyword-rule.ts)`,
    );
    expect(stdout).toContain("Nothing was sent");
  });

  test("as JSON, from the input", async () => {
    const { home } = await homeWith(nowhere);
    const child = spawn(process.execPath, [launcher, "explain", "-", "--json"], {
      cwd: home,
      env: { PATH: "", HOME: home },
      stdio: "pipe",
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const running = observe(child);
    const body = JSON.stringify(request);
    child.stdin.write(body.slice(0, 20));
    child.stdin.end(body.slice(20));
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      model: "claude-sonnet-5-5",
      label: "deploy",
      target: { group: "deploy", deployment: "to-deploy", model: "claude-opus-5-5", provider: "anthropic" },
      outcome: { type: "sent", url: `${nowhere}/v1/messages` },
      recorded: true,
      steps: expect.arrayContaining([
        expect.objectContaining({ what: "changed", changes: [{ path: "max_tokens", before: "100000", after: "5000" }] }),
      ]),
      logs: [{ file: "hooks/cap.ts", text: "asked for 100000" }],
    });
  });

  test("a hook that fails, and one that denies", async () => {
    const { ccproxy } = await homeWith(nowhere, {
      "../fails.json": JSON.stringify({ ...request, stop_sequences: ["x"] }),
      "../denied.json": JSON.stringify({ ...request, messages: [{ role: "user", content: "secret plan" }] }),
      "hooks/guard.ts": `import { defineHook, deny, lastUserText } from "ccproxy/sdk";
export default defineHook({ preCall: (request) => (lastUserText(request).includes("secret") ? deny(403, "not that") : undefined) });
`,
    });
    const failed = await ccproxy(["explain", "fails.json"]);
    expect(failed.code).toBe(0);
    expect(failed.stdout).toMatch(
      /preCall +hooks\/cap\.ts +failed, skipped +\d+ µs\n +hooks\/cap\.ts threw.* at hooks\/cap\.ts:7:\d+: Error: no stops/,
    );
    const denied = await ccproxy(["explain", "denied.json"]);
    expect(denied.code).toBe(1);
    expect(denied.stdout).toMatch(/hooks\/guard\.ts +denied/);
    expect(denied.stdout).toContain("Refused with 403: not that");
  });

  test("what a hook asks for outside is not done", async () => {
    await using upstream = await startUpstream();
    const host = new URL(upstream.url).host;
    const { ccproxy, directory } = await homeWith(nowhere, {
      "ccproxy.yaml": `ccproxy:
  autoload: false
  hooks:
    - hook: ./hooks/ask.ts
      grants: ["fetch:http://${host}", kv]
`,
      "hooks/ask.ts": `import { defineHook } from "ccproxy/sdk";
export default defineHook({
  async preCall(request, context) {
    context.log("lines", await context.kv.lines("x"), "value", await context.kv.get("y"));
    await context.kv.append("x", 1);
    await context.fetch("${upstream.url}/v1/models");
  },
});
`,
    });
    const { stdout, stderr } = await ccproxy(["explain", "request.json"]);
    expect(stderr).toBe("");
    expect(stdout).toContain("lines [] value undefined");
    expect(stdout).toContain("explain asks nothing outside, so fetch gave no answer");
    expect(upstream.requests).toEqual([]);
    expect((await readdir(directory)).filter((file) => file.includes("kv"))).toEqual([]);
  });

  test("what is no request is refused with a reason", async () => {
    const { ccproxy } = await homeWith(nowhere, { "../list.json": "[1]", "../half.json": '{"model":' });
    expect(await ccproxy(["explain", "missing.json"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no file missing.json"),
    });
    for (const file of ["list.json", "half.json"]) {
      expect(await ccproxy(["explain", file])).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^ccproxy: .+JSON/) });
    }
  });
});

describe("explain a request that was made", () => {
  async function ask(url: string): Promise<string> {
    const response = await fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    expect(response.status).toBe(200);
    await response.text();
    return response.headers.get("x-ccproxy-request-id") ?? "";
  }

  async function serve(home: Home): Promise<string> {
    const server = home.start(["start", "--port", "0"]);
    await server.shows(/listens on http:\/\/[\d.:]+/);
    onTestFinished(async () => {
      server.child.kill("SIGTERM");
      await server.finished;
    });
    return /listens on (http:\/\/[\d.:]+)/.exec(server.stderr())?.[1] ?? "";
  }

  /** A trace is complete a moment after the reply is. */
  async function explained(home: Home, id: string, ...more: string[]): Promise<string> {
    for (;;) {
      const { code, stdout, stderr } = await home.ccproxy(["explain", id, ...more]);
      if (code === 0) return stdout;
      expect(stderr).toMatch(/There is no trace/);
    }
  }

  test("with record: what ran and what it changed; by its id, and as the last one", async () => {
    await using upstream = await startUpstream();
    const home = await homeWith(upstream.url, { "ccproxy.yaml": `${files["ccproxy.yaml"]}  record: true\n` });
    const url = await serve(home);
    const id = await ask(url);
    const text = await explained(home, id);
    expect(text).toMatch(/preCall +hooks\/cap\.ts +changed +\d+ µs\n +max_tokens\n +- 100000\n +\+ 5000\n/);
    expect(text).toMatch(/\+ "deploy with SECRET_GITHUB_TOKEN_/);
    expect(await explained(home, "last")).toBe(text);
    expect(JSON.parse(await explained(home, "last", "--json"))).toMatchObject({ requestId: id, recorded: true });
  });

  test("without record nothing of the request's text is shown", async () => {
    await using upstream = await startUpstream();
    const home = await homeWith(upstream.url);
    const url = await serve(home);
    expect(await home.ccproxy(["explain", "last"])).toMatchObject({ code: 1, stderr: expect.stringContaining("There is no trace yet") });
    const id = await ask(url);
    const text = await explained(home, id);
    expect(text).toMatch(/preCall +hooks\/cap\.ts +changed +\d+ µs\n +max_tokens\n/);
    expect(text).not.toContain("please");
    expect(text).toContain("record: true");
    expect(await home.ccproxy(["explain", "req_00"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There is no trace of this request"),
    });
  });

  test("without a server it says so", async () => {
    const home = await homeWith(nowhere);
    expect(await home.ccproxy(["explain", "last"])).toMatchObject({ code: 1, stderr: expect.stringContaining("no server runs") });
  });
});
