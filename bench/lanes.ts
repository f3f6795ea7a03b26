/** The ways from the client to the upstream that are compared: what to start, and how to ask it. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildBare, buildPackage } from "./built.ts";
import { benchModel, type BenchDialect, type ReplyForm } from "./bodies.ts";
import type { Command } from "./process.ts";

export interface LaneContext {
  readonly upstreamUrl: string;
  readonly port: number;
  /** An empty folder of the lane's own. */
  readonly directory: string;
  /** Folder of the checkout. */
  readonly root: string;
  /** Where peers are installed; outside of what is committed. */
  readonly cache: string;
}

export interface Launch {
  readonly command: Command;
  readonly readyPath: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly startTimeoutMs?: number;
  /** Ends what was started for it. */
  cleanUp?(): Promise<void>;
}

/** Why a lane cannot be measured here. */
export interface Skip {
  readonly skipped: string;
}

export interface LaneSpec {
  readonly name: string;
  readonly version?: string;
  /** Reply forms that work on this lane. */
  readonly forms: readonly ReplyForm[];
  /** What its client speaks. Default `anthropic`. */
  readonly client?: BenchDialect;
  /** Between two protocols: measured with one request at a time, and not with held streams. */
  readonly isTranslated?: boolean;
  /** Said below the tables. */
  readonly note?: string;
  /** A peer is measured with fewer requests, and may fail without failing the run. */
  readonly isPeer: boolean;
  prepare(context: LaneContext): Launch | Skip | Promise<Launch | Skip>;
}

const bothForms: readonly ReplyForm[] = ["stream", "plain"];

export const bareLane: LaneSpec = {
  name: "bare",
  forms: bothForms,
  isPeer: false,
  note: "Koa and undici, bytes piped both ways and nothing else (bench/bare.ts).",
  prepare: ({ upstreamUrl, port, root, cache }) => ({
    command: { file: process.execPath, args: [buildBare(root, cache), upstreamUrl, String(port)] },
    readyPath: "/ready",
  }),
};

/** One deployment at the upstream with a key of its own; no rules. */
export const ccproxyLane: LaneSpec = {
  name: "ccproxy",
  forms: bothForms,
  isPeer: false,
  prepare: (context) => ccproxyLaunch(context, ""),
};

/** The same with three built-in rules that are all asked and none of which matches. */
export const ccproxyRulesLane: LaneSpec = {
  name: "ccproxy+rules",
  forms: bothForms,
  isPeer: false,
  note: "Three rules are evaluated on each request: MatchModelRule and TokenCountRule (far threshold) do not match, ThinkingRule does.",
  prepare: (context) =>
    ccproxyLaunch(
      context,
      [
        "  rules:",
        "    - {name: background, rule: ccproxy.rules.MatchModelRule, params: [{model_name: haiku}]}",
        "    - {name: token_count, rule: ccproxy.rules.TokenCountRule, params: [{threshold: 100000000}]}",
        "    - {name: think, rule: ccproxy.rules.ThinkingRule}",
        "",
      ].join("\n"),
    ),
};

/** The same with a rule of the user's own, in the sandbox, that reads the last message of each request. */
export const ccproxyUserLane: LaneSpec = {
  name: "ccproxy+user",
  forms: bothForms,
  isPeer: false,
  note: "A file in rules/ reads the text of the last message of each request, and does not match.",
  prepare: (context) => {
    mkdirSync(join(context.directory, "rules"), { recursive: true });
    const rule = [
      'import { defineRule, lastUserText } from "ccproxy/sdk";',
      `export default defineRule({ label: "${benchModel}", evaluate: (request) => lastUserText(request).includes("a word nobody wrote") });`,
      "",
    ].join("\n");
    writeFileSync(join(context.directory, "rules", "long.ts"), rule);
    return ccproxyLaunch(context, "");
  },
};

/** A client of Messages, an upstream that speaks Chat Completions. */
export const ccproxyToChatLane: LaneSpec = {
  name: "ccproxy→chat",
  forms: bothForms,
  isPeer: false,
  isTranslated: true,
  note: "Anthropic Messages from the client, OpenAI Chat Completions at the upstream; both ways translated.",
  prepare: (context) => ccproxyLaunch(context, "", { model: "openai/gpt-4.1", path: "/v1" }),
};

/** A client of Chat Completions, an upstream that speaks Messages. */
export const ccproxyFromChatLane: LaneSpec = {
  name: "chat→ccproxy",
  forms: bothForms,
  isPeer: false,
  isTranslated: true,
  client: "openai-chat",
  note: "OpenAI Chat Completions from the client, Anthropic Messages at the upstream; both ways translated.",
  prepare: (context) => ccproxyLaunch(context, ""),
};

interface BenchDeployment {
  readonly model: string;
  /** Behind the upstream's address. */
  readonly path: string;
}

function ccproxyLaunch(context: LaneContext, rules: string, to: BenchDeployment = { model: `anthropic/${benchModel}`, path: "" }): Launch {
  const deployment = (name: string): string =>
    `  - model_name: ${name}\n    litellm_params: {model: ${to.model}, api_base: "${context.upstreamUrl}${to.path}", api_key: sk-ant-bench}\n`;
  const groups = rules === "" ? [benchModel] : [benchModel, "background", "token_count", "think"];
  writeFileSync(join(context.directory, "config.yaml"), `model_list:\n${groups.map(deployment).join("")}`, { mode: 0o600 });
  // Passing the model through keeps the way of a request without a label the same in both lanes.
  writeFileSync(join(context.directory, "ccproxy.yaml"), `ccproxy:\n  default_model_passthrough: true\n${rules}`, { mode: 0o600 });
  return ccproxyStart(context);
}

/** The built package, started as users start it, with the configuration that lies in the lane's folder. */
export function ccproxyStart(context: LaneContext): Launch {
  const start = ["start", "--config-dir", context.directory, "--host", "127.0.0.1", "--port", String(context.port)];
  return {
    command: {
      file: process.execPath,
      args: [...profiling(context.root), buildPackage(context.root, context.cache), ...start],
      environment: { HOME: context.directory },
    },
    readyPath: "/health/readiness",
  };
}

/** With `CCPROXY_BENCH_PROFILE` set, ccproxy writes a processor profile into `.cache` when it stops. */
function profiling(root: string): readonly string[] {
  return process.env["CCPROXY_BENCH_PROFILE"] === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${join(root, ".cache/ccproxy-bench/profiles")}`];
}

export const nginxLane: LaneSpec = {
  name: "nginx",
  forms: bothForms,
  isPeer: true,
  note: "One worker, proxy_pass with kept-alive upstream connections; neither requests nor replies are buffered.",
  prepare: ({ upstreamUrl, port, directory, cache }) => {
    const file = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx", join(cache, "nginx/usr/sbin/nginx")].find((path) =>
      existsSync(path),
    );
    if (file === undefined || spawnSync(file, ["-v"]).status !== 0) return { skipped: "nginx is not installed" };
    mkdirSync(join(directory, "logs"), { recursive: true });
    const config = join(directory, "nginx.conf");
    writeFileSync(config, nginxConfig(directory, upstreamUrl, port));
    return { command: { file, args: ["-p", directory, "-e", join(directory, "logs/error.log"), "-c", config] }, readyPath: "/ready" };
  },
};

function nginxConfig(directory: string, upstreamUrl: string, port: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${directory}/tmp_${name};`)
    .join("\n");
  return `daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
events { worker_connections 8192; }
http {
${temporary}
  access_log off;
  client_max_body_size 64m;
  keepalive_requests 1000000;
  upstream scripted { server ${new URL(upstreamUrl).host}; keepalive 128; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://scripted;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`;
}
