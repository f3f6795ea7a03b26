/** Claude Code as a user starts it, `ccproxy run claude …`, in a world of its own: empty home, no network but loopback. */

import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";

import { stringify } from "yaml";

import { installClaudeCode } from "./claude-code-package.ts";

const launcher = path.resolve(import.meta.dirname, "../../bin/ccproxy.js");

export interface SessionOptions {
  /** `config.yaml`. */
  readonly config: unknown;
  /** The value below `ccproxy:` in `ccproxy.yaml`. */
  readonly ccproxy?: unknown;
}

interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Put before `claude`: a command that runs what follows it. */
  readonly wrapper?: readonly string[];
}

export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What was asked of hosts beyond loopback. Each test expects none. */
  readonly strays: readonly string[];
}

export interface Session extends AsyncDisposable {
  readonly home: string;
  /** The folder that `claude` starts in. */
  readonly work: string;
  readonly configDir: string;
  /** `ccproxy <args>`, to its end. */
  readonly ccproxy: (args: readonly string[], options?: Pick<RunOptions, "environment">) => Promise<Run>;
  /** `ccproxy run claude -p <args>`, to its end. */
  readonly claude: (args: readonly string[], options?: RunOptions) => Promise<Run>;
}

/** Stands for a subscription login, as `claude setup-token` makes one. */
export const oauthToken = "sk-ant-oat01-the-subscription-of-the-caller";
export const apiKey = "sk-ant-api03-the-key-of-the-caller";

export async function createSession(options: SessionOptions): Promise<Session> {
  const programs = await installClaudeCode();
  // macOS: what the shell calls its folder is the resolved path.
  const root = await realpath(await mkdtemp(path.join(tmpdir(), "ccproxy-e2e-")));
  const [home = "", work = "", configDir = ""] = ["home", "work", "config"].map((name) => path.join(root, name));
  for (const folder of [home, work, configDir]) await mkdir(folder, { mode: 0o700 });
  await writeFile(path.join(configDir, "config.yaml"), stringify(options.config));
  await writeFile(path.join(configDir, "ccproxy.yaml"), stringify({ ccproxy: options.ccproxy ?? {} }));
  const running = new Set<ChildProcess>();

  async function ccproxy(args: readonly string[], { environment = {} }: Pick<RunOptions, "environment"> = {}): Promise<Run> {
    const strays: string[] = [];
    await using outside = await refuseOutside((asked) => {
      strays.push(asked);
      // It would only try again.
      kill(child);
    });
    const child: ChildProcessByStdio<null, Readable, Readable> = spawn(process.execPath, [launcher, ...args], {
      cwd: work,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that nothing it started outlives a test that failed.
      detached: true,
      env: {
        PATH: [programs, path.dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(path.delimiter),
        HOME: home,
        LANG: "C.UTF-8",
        CCPROXY_CONFIG_DIR: configDir,
        DISABLE_TELEMETRY: "1",
        DISABLE_AUTOUPDATER: "1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        HTTP_PROXY: outside.url,
        HTTPS_PROXY: outside.url,
        ...environment,
      },
    });
    running.add(child);
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    const [exitCode]: (number | null)[] = await once(child, "close");
    running.delete(child);
    return { exitCode: exitCode ?? null, ...output, strays };
  }

  return {
    home,
    work,
    configDir,
    ccproxy,
    claude: (args, { wrapper = [], environment = { ANTHROPIC_API_KEY: apiKey } } = {}) =>
      ccproxy(["run", ...wrapper, "claude", "-p", ...args], { environment }),
    async [Symbol.asyncDispose]() {
      for (const child of running) kill(child);
      await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Ends a program and all that it started. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** The HTTP proxy of the session's environment: refuses, and notes who was asked for. */
async function refuseOutside(note: (asked: string) => void): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    note(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    note(`CONNECT ${request.url}`);
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the refusing proxy has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
