/** The other gateways: pinned versions, installed into the cache, configured to forward with the least work they allow. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installLitellm, litellmCommand, litellmReadyPath, litellmVersion } from "../scripts/litellm.ts";
import { benchModel } from "./bodies.ts";
import type { LaneContext, LaneSpec, Launch, Skip } from "./lanes.ts";

const versions = { claudeCodeRouter: "2.0.0", portkey: "1.15.2", litellm: litellmVersion };

export const claudeCodeRouterLane: LaneSpec = {
  name: "claude-code-router",
  version: versions.claudeCodeRouter,
  forms: ["stream", "plain"],
  isPeer: true,
  note: "Version 2; 3.x does not install from npm. One provider with its Anthropic pass-through transformer only.",
  prepare(context) {
    const installed = installFromNpm(context.cache, "claude-code-router", `@musistudio/claude-code-router@${versions.claudeCodeRouter}`);
    if (typeof installed !== "string") return installed;
    mkdirSync(join(context.directory, ".claude-code-router"));
    const provider = {
      name: "bench",
      api_base_url: `${context.upstreamUrl}/v1/messages`,
      api_key: "sk-ant-bench",
      models: [benchModel],
      transformer: { use: ["Anthropic"] },
    };
    const config = {
      LOG: false,
      HOST: "127.0.0.1",
      PORT: context.port,
      API_TIMEOUT_MS: 600_000,
      Providers: [provider],
      Router: { default: `bench,${benchModel}` },
    };
    writeFileSync(join(context.directory, ".claude-code-router/config.json"), JSON.stringify(config));
    const script = join(installed, "node_modules/@musistudio/claude-code-router/dist/cli.js");
    return node(context, [script, "start"], "/health");
  },
};

export const portkeyLane: LaneSpec = {
  name: "portkey",
  version: versions.portkey,
  forms: ["plain"],
  isPeer: true,
  note: "Only replies that are not streamed: its streaming /v1/messages answers 500 on Node 20 and 24 (it edits the headers of a fetched Response).",
  prepare(context) {
    const installed = installFromNpm(context.cache, "portkey", `@portkey-ai/gateway@${versions.portkey}`);
    if (typeof installed !== "string") return installed;
    const script = join(installed, "node_modules/@portkey-ai/gateway/build/start-server.js");
    const headers = {
      "x-portkey-provider": "anthropic",
      "x-portkey-custom-host": `${context.upstreamUrl}/v1`,
      authorization: "Bearer sk-ant-bench",
    };
    return { ...node(context, [script, `--port=${context.port}`, "--headless"], "/"), headers };
  },
};

/** It has no way from Messages to another protocol; the other way round it has. */
export const portkeyFromChatLane: LaneSpec = {
  ...portkeyLane,
  name: "chat→portkey",
  client: "openai-chat",
  isTranslated: true,
  note: "OpenAI Chat Completions from the client, Anthropic Messages at the upstream, not streamed, for the same reason. It does not translate from Messages: `messages is not supported by openai`.",
};

export const litellmLane: LaneSpec = {
  name: "litellm",
  version: versions.litellm,
  forms: ["stream", "plain"],
  isPeer: true,
  note: "One worker, one deployment, no retries, no callbacks, no key check.",
  prepare: (context) => prepareLitellm(context, `anthropic/${benchModel}`, ""),
};

export const litellmToChatLane: LaneSpec = {
  ...litellmLane,
  name: "litellm→chat",
  isTranslated: true,
  note: "Anthropic Messages from the client, OpenAI Chat Completions at the upstream.",
  // Under `openai/` it would ask by Responses.
  prepare: (context) => prepareLitellm(context, "hosted_vllm/gpt-4.1", "/v1"),
};

function prepareLitellm(context: LaneContext, model: string, path: string): Launch | Skip {
  const program = installLitellm(context.cache);
  if (typeof program !== "string") return program;
  const config = join(context.directory, "config.yaml");
  const deployment = `{model: ${model}, api_base: "${context.upstreamUrl}${path}", api_key: sk-ant-bench}`;
  writeFileSync(
    config,
    `model_list:\n  - model_name: ${benchModel}\n    litellm_params: ${deployment}\nlitellm_settings: {telemetry: false, num_retries: 0}\n`,
  );
  const command = litellmCommand(program, { config, port: context.port, home: context.directory });
  return { command, readyPath: litellmReadyPath, startTimeoutMs: 120_000 };
}

function node(context: LaneContext, args: readonly string[], readyPath: string): Launch {
  // Production mode, as each peer's own start command would have it.
  const environment = { HOME: context.directory, NODE_ENV: "production" };
  return { command: { file: process.execPath, args, environment, directory: context.directory }, readyPath, startTimeoutMs: 30_000 };
}

/** @returns the folder that holds its node_modules. */
function installFromNpm(cache: string, name: string, what: string): string | Skip {
  const folder = join(cache, name);
  if (existsSync(join(folder, "installed"))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private":true}');
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", what];
  const result = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
  if (result.status !== 0) return { skipped: `npm could not install ${what}: ${(result.stderr ?? "").slice(-400)}` };
  writeFileSync(join(folder, "installed"), what);
  return folder;
}
