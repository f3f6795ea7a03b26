/** The real Claude Code through `ccproxy run`, against scripted upstreams: what its users get to see, and what the upstreams do. */

import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { deployment } from "../helpers/proxy.ts";
import { errorReply, streamReply, textReply, toolUseReply, type Reply, type ToolCall } from "../helpers/replies.ts";
import { startUpstream, type Upstream, type UpstreamRequest } from "../helpers/upstream.ts";
import { installClaudeCode } from "./claude-code-package.ts";
import { apiKey, createSession, oauthToken, type Run, type Session } from "./claude-code.ts";
import { startTap } from "./tap.ts";

/** What requests arrive as that no rule labelled: other than any model the client asks for, so that a splice shows. */
const mainModel = "upstream-main";
const mainDeployment = (upstream: Upstream, params: object = {}): unknown =>
  deployment("default", upstream.url, { model: `anthropic/${mainModel}`, ...params });
const callersOwn = { api_key: undefined, forward_client_auth: true };

// A download of some 100 MB, once.
beforeAll(async () => void (await installClaudeCode()), 600_000);

const open: AsyncDisposable[] = [];
let upstream: Upstream;

beforeEach(async () => {
  upstream = await disposed(startUpstream());
});

afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

async function disposed<Resource extends AsyncDisposable>(starting: Promise<Resource>): Promise<Resource> {
  const resource = await starting;
  open.push(resource);
  return resource;
}

function session(options: { readonly models?: readonly unknown[]; readonly ccproxy?: object } = {}): Promise<Session> {
  return disposed(createSession({ config: { model_list: options.models ?? [mainDeployment(upstream)] }, ccproxy: options.ccproxy }));
}

function expectSuccess(run: Run, answer: string): void {
  expect(run).toMatchObject({ exitCode: 0, stdout: `${answer}\n`, strays: [] });
}

function modelsAt(at: Upstream): readonly unknown[] {
  return at.requestsTo().map((request) => parsed(request)["model"]);
}

function parsed(request: UpstreamRequest | undefined): Record<string, unknown> {
  const body = request?.json();
  if (typeof body !== "object" || body === null) throw new Error("the upstream got no such request");
  return { ...body };
}

describe("a conversation", () => {
  it("says hello through a proxy of its own, which ends with it", async () => {
    const { claude } = await session();
    const run = await claude(["say hi"]);
    expectSuccess(run, "hello");
    expect(modelsAt(upstream)).toEqual([mainModel]);
    const headers = Object.keys(upstream.requestsTo()[0]?.headers ?? {});
    expect(headers).toContain("x-stainless-retry-count");
    // What the client says only because `run` asked it to is not for others.
    expect(headers.filter((name) => /^x-(claude|ccproxy)-|request-class/.test(name))).toEqual([]);
    const lines = run.stderr.trim().split("\n");
    expect(lines).toHaveLength(1);
    const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(lines[0] ?? "") ?? [];
    await expect(fetch(`${url}/health/liveliness`)).rejects.toThrow("fetch failed");
  });

  it("works with what `ccproxy install` writes, and with a login alone", async () => {
    const { ccproxy, claude, home } = await session();
    const environment = { CCPROXY_CONFIG_DIR: path.join(home, ".ccproxy"), CLAUDE_CODE_OAUTH_TOKEN: oauthToken };
    expect(await ccproxy(["install"], { environment })).toMatchObject({ exitCode: 0, stderr: "" });
    // The one change: the scripted upstream stands for Anthropic.
    const file = path.join(home, ".ccproxy", "config.yaml");
    const written = await readFile(file, "utf8");
    const indent = "\n      ";
    await writeFile(
      file,
      written.replaceAll("api_base: https://api.anthropic.com", `api_base: ${upstream.url}${indent}forward_client_auth: true`),
    );
    expectSuccess(await claude(["say hi", "--model", "claude-haiku-5-5"], { environment }), "hello");
    expect(modelsAt(upstream)).toEqual(["claude-haiku-5-5"]);
  });

  it("uses the proxy that runs already, and leaves it running", async () => {
    const { ccproxy, claude } = await session();
    expect(await ccproxy(["start", "--detach", "--port", "0"])).toMatchObject({ exitCode: 0 });
    try {
      const run = await claude(["say hi"]);
      expectSuccess(run, "hello");
      expect(run.stderr).toBe("");
      expect(await ccproxy(["status", "--check"])).toMatchObject({ exitCode: 0 });
    } finally {
      expect(await ccproxy(["stop"])).toMatchObject({ exitCode: 0 });
    }
    expect(await ccproxy(["status", "--check"])).toMatchObject({ exitCode: 1 });
  });

  it("runs the tools that the model calls, and tells it what came of them", async () => {
    upstream.script([
      toolUseReply(bash("echo 'first line' > notes.txt && cat notes.txt"), "I begin."),
      toolUseReply([bash("echo 'second line' >> notes.txt; wc -l < notes.txt"), bash("ls /nowhere/at/all")]),
      textReply("written"),
    ]);
    const { claude, work } = await session();
    expectSuccess(await claude(["write it down", "--allowedTools", "Bash"]), "written");
    expect(await readFile(path.join(work, "notes.txt"), "utf8")).toBe("first line\nsecond line\n");
    expect(upstream.requestsTo()).toHaveLength(3);
    const last = JSON.stringify(parsed(upstream.requestsTo()[2])["messages"]);
    expect(last).toContain('"content":"first line"');
    expect(last).toContain('"content":"2"');
    expect(last).toMatch(/"content":"[^"]*No such file[^"]*","is_error":true/);
  });

  it("sends twenty turns of which the upstream gets each byte but the model", async () => {
    const turns = 20;
    upstream.script((_, index) =>
      index < turns ? toolUseReply(bash(`echo "turn ${index} ünï ☂ \\\\" | tee -a log.txt`)) : textReply("done"),
    );
    // The tap stands under a port of its own.
    const { claude, work } = await session({ ccproxy: { allowed_hosts: ["127.0.0.1"] } });
    const proxyUrl = path.join(work, "proxy-url");
    const tap = await disposed(startTap(async () => new URL(await readFile(proxyUrl, "utf8"))));
    const tapped = ["sh", "-c", `printf %s "$ANTHROPIC_BASE_URL" > '${proxyUrl}'; ANTHROPIC_BASE_URL='${tap.url}' exec "$0" "$@"`];
    expectSuccess(await claude(["work", "--allowedTools", "Bash"], { wrapper: tapped }), "done");
    expect((await readFile(path.join(work, "log.txt"), "utf8")).trim().split("\n")).toHaveLength(turns);

    const sent = tap.requests().filter((request) => request.url.startsWith("/v1/messages"));
    const received = upstream.requestsTo();
    expect(sent).toHaveLength(turns + 1);
    expect(received).toHaveLength(turns + 1);
    for (const [index, { url, body }] of sent.entries()) {
      const got = received[index];
      expect(got?.url).toBe(url);
      expect(got?.body.equals(withModel(body, mainModel)), `turn ${index}`).toBe(true);
      expect(body.equals(got?.body ?? body), `turn ${index} holds the model`).toBe(false);
    }
  });
});

function bash(command: string): ToolCall {
  return { name: "Bash", input: { command, description: "a step" } };
}

/** The client writes the model first. */
function withModel(body: Buffer, model: string): Buffer {
  const asked = /^\{"model":"([a-z0-9-]+)"/.exec(body.toString("latin1", 0, 100));
  if (asked?.[1] === undefined) throw new Error(`the body does not begin with a model: ${body.toString("utf8", 0, 100)}`);
  return Buffer.concat([Buffer.from(`{"model":"${model}`), body.subarray(`{"model":"${asked[1]}`.length)]);
}

describe("routing and credentials", () => {
  it("sends a subagent to another model and host than the main conversation", async () => {
    const other = await disposed(startUpstream(textReply("found by the subagent")));
    upstream.script([toolUseReply(agent("general-purpose")), textReply("all done")]);
    const { claude } = await session({
      models: [mainDeployment(upstream), deployment("subagent", other.url, { model: "anthropic/upstream-small" })],
      ccproxy: { rules: [{ name: "subagent", rule: "ccproxy.rules.RequestClassRule", params: ["subagent"] }] },
    });
    expectSuccess(await claude(["delegate it", "--allowedTools", "Agent"]), "all done");
    expect(modelsAt(upstream)).toEqual([mainModel, mainModel]);
    expect(modelsAt(other)).toEqual(["upstream-small"]);
    expect(JSON.stringify(parsed(upstream.requestsTo()[1])["messages"])).toContain("found by the subagent");
    expect(parsed(other.requestsTo()[0])["stream"]).toBe(true);
  });

  it.each([
    {
      name: "a login",
      environment: { CLAUDE_CODE_OAUTH_TOKEN: oauthToken },
      secret: oauthToken,
      arrives: { authorization: `Bearer ${oauthToken}` },
    },
    { name: "an API key", environment: { ANTHROPIC_API_KEY: apiKey }, secret: apiKey, arrives: { "x-api-key": apiKey } },
  ])("$name reaches the host that may have it and no other", async ({ environment, secret, arrives }) => {
    const keyed = await disposed(startUpstream(textReply("from the one with a key of its own")));
    const keyless = await disposed(startUpstream(textReply("from the one without")));
    upstream.script([toolUseReply([agent("general-purpose"), agent("Explore")]), textReply("all done")]);
    const { claude, configDir } = await session({
      models: [
        mainDeployment(upstream, callersOwn),
        deployment("keyed", keyed.url, { api_key: "sk-own-key" }),
        deployment("keyless", keyless.url, { api_key: undefined }),
      ],
      ccproxy: {
        rules: [
          { name: "keyed", rule: "ccproxy.rules.AgentTypeRule", params: ["general-purpose"] },
          { name: "keyless", rule: "ccproxy.rules.AgentTypeRule", params: ["Explore"] },
        ],
      },
    });
    expectSuccess(await claude(["delegate it", "--allowedTools", "Agent"], { environment }), "all done");

    for (const request of upstream.requestsTo()) {
      expect(credentialsOf(request)).toEqual(arrives);
      expect(request.headers["anthropic-version"]).toBe("2023-06-01");
      expect(request.headers["user-agent"]).toMatch(/^claude-cli\//);
      expect(request.headers["anthropic-beta"]?.split(",").includes("oauth-2025-04-20")).toBe("authorization" in arrives);
    }
    expect(upstream.requestsTo()).toHaveLength(2);
    expect(keyed.requestsTo().map(credentialsOf)).toEqual([{ "x-api-key": "sk-own-key" }]);
    for (const request of keyless.requestsTo()) expect(credentialsOf(request)).toEqual({});
    for (const request of [...keyed.requests, ...keyless.requests]) expect(JSON.stringify(request.rawHeaders)).not.toContain(secret);
    const log = await readFile(path.join(configDir, "ccproxy.log"), "utf8");
    expect(log).toContain("upstream-main");
    expect(log).not.toContain(secret);
  });

  it("offers every model of the configuration in /model, and serves what was picked there", async () => {
    const { claude, home } = await session({
      models: [deployment("gemini-flash", upstream.url), deployment("claude-opus-5-5", upstream.url)],
    });
    const picked = await claude(["/model claude-gemini-flash"]);
    expect(picked).toMatchObject({ exitCode: 0, strays: [] });
    // It knows the model by the name that our list gives it.
    expect(picked.stdout).toContain("Set model to `gemini-flash (ccproxy)`");
    const kept: unknown = JSON.parse(await readFile(path.join(home, ".claude/cache/gateway-models.json"), "utf8"));
    expect(kept).toMatchObject({
      models: [{ id: "claude-gemini-flash", display_name: "gemini-flash (ccproxy)" }, { id: "claude-opus-5-5" }],
    });
    expectSuccess(await claude(["say hi", "--model", "claude-gemini-flash"]), "hello");
    expectSuccess(await claude(["say hi", "--model", "claude-opus-5-5"]), "hello");
    // The first is how the client makes sure that the model it was asked to set exists.
    expect(modelsAt(upstream)).toEqual(["gemini-flash", "gemini-flash", "claude-opus-5-5"]);
  });
});

function agent(type: string): ToolCall {
  return { name: "Agent", input: { description: "look", prompt: "Look around.", subagent_type: type, run_in_background: false } };
}

function credentialsOf({ headers }: UpstreamRequest): Record<string, string | undefined> {
  const names = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization"];
  return Object.fromEntries(names.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]));
}

describe("failures of the upstream", () => {
  const halfText = "this answer is cut in its middle, and nobody shall take it for the whole of it";
  /** Else the client asks once more without a stream. */
  const streamOnly = { ANTHROPIC_API_KEY: apiKey, CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1" };
  const half = (how: Parameters<typeof streamReply>[0]): Reply => streamReply({ text: halfText, cutAfter: { events: 6 }, ...how });

  it("a 529 is passed on, and the client's own second try succeeds", async () => {
    upstream.script([errorReply(529), textReply("after all")]);
    const { claude } = await session();
    expectSuccess(await claude(["say hi"]), "after all");
    expect(upstream.requestsTo()).toHaveLength(2);
  });

  it.each([
    { cut: "close", said: /^API Error: .* broke off in the middle of its answer/ },
    { cut: "finish", said: /^API Error: .* before the answer was complete/ },
  ] as const)("a stream cut on the way ($cut) is an error to the user, not a short answer", async ({ cut, said }) => {
    upstream.script(half({ cut }));
    const { claude } = await session();
    const run = await claude(["say hi"], { environment: streamOnly });
    expect(run).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(said), strays: [] });
    expect(upstream.requestsTo()).toHaveLength(1);
  });

  it("after a stream cut on the way the client asks again, and gets the whole answer", async () => {
    upstream.script([half({ cut: "close" }), textReply("the whole of it")]);
    const { claude } = await session();
    expectSuccess(await claude(["say hi"]), "the whole of it");
    expect(upstream.requestsTo().map((request) => parsed(request)["stream"])).toEqual([true, false]);
  });

  it("an error event on the way shows the upstream's own words", async () => {
    upstream.script(half({ error: { type: "api_error", message: "the scripted upstream gave up" } }));
    const { claude } = await session();
    const run = await claude(["say hi"], { environment: streamOnly });
    expect(run).toMatchObject({ exitCode: 1, stdout: "API Error: the scripted upstream gave up\n", strays: [] });
  });

  it("a 413 is told as what it is, and not tried again", async () => {
    upstream.script(errorReply(413, { message: "Request exceeds the maximum size" }));
    const { claude } = await session();
    expect(await claude(["say hi"])).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^Request too large/), strays: [] });
    expect(upstream.requestsTo()).toHaveLength(1);
  });

  it("a body over the proxy's own limit is told in the same way", async () => {
    const { claude } = await session({ ccproxy: { max_body_mb: 0.01 } });
    expect(await claude(["say hi"])).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^Request too large/), strays: [] });
    expect(upstream.requestsTo()).toHaveLength(0);
  });

  it("a host that nobody answers at is an error that names it", async () => {
    await upstream.close();
    const { claude } = await session();
    const run = await claude(["say hi"], { environment: { ANTHROPIC_API_KEY: apiKey, CLAUDE_CODE_MAX_RETRIES: "0" } });
    expect(run).toMatchObject({ exitCode: 1, strays: [] });
    expect(run.stdout).toContain(upstream.url);
  });
});
