/** A proxy under test: a real server in this process, with a configuration folder of its own. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { stringify } from "yaml";

import { type RunningServer, startServer } from "../../core/server.ts";
import type { StreamTiming } from "../../core/stream/timing.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import { memory } from "../../plugins/memory/plugin.ts";
import { sqlite } from "../../plugins/sqlite/plugin.ts";

export interface ProxyOptions {
  /** `config.yaml`: text as it is, anything else as YAML. */
  readonly config?: unknown;
  /** The value below `ccproxy:` in `ccproxy.yaml`. */
  readonly ccproxy?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  /** Further files of the folder, e.g. `rules/vip.ts`, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly plugins?: readonly Plugin[];
  readonly host?: string;
  readonly watch?: boolean;
  readonly timing?: Partial<StreamTiming>;
  readonly acceptMs?: number;
}

export interface Proxy extends RunningServer, AsyncDisposable {
  readonly directory: string;
  /** Replaces `config.yaml`; takes effect with `reload`. */
  writeConfig(config: unknown): Promise<void>;
  /** Replaces `ccproxy.yaml`; takes effect with `reload`. */
  writeCcproxy(ccproxy: unknown): Promise<void>;
  /** Writes a file of the folder as an editor does, e.g. `rules/vip.ts`. */
  write(name: string, text: string): Promise<void>;
  /** Lines of the log so far, parsed. Complete after `stop`. */
  logLines(): Promise<readonly Record<string, unknown>[]>;
  /** The log as it stands in the file. */
  logText(): Promise<string>;
}

/** A ledger has to be kept somewhere. */
function withEngines(plugins: readonly Plugin[]): readonly Plugin[] {
  return [...plugins, ...[memory, sqlite].filter((engine) => !plugins.includes(engine))];
}

/** Starts a proxy on a free port; disposing of it stops it and removes its folder. */
export async function startProxy(options: ProxyOptions = {}): Promise<Proxy> {
  const directory = await mkdtemp(path.join(tmpdir(), "ccproxy-test-"));
  const writeConfig = (config: unknown): Promise<void> =>
    writeFile(path.join(directory, "config.yaml"), typeof config === "string" ? config : stringify(config));
  const writeCcproxy = (ccproxy: unknown): Promise<void> => writeFile(path.join(directory, "ccproxy.yaml"), stringify({ ccproxy }));
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), text);
  };
  for (const [name, text] of Object.entries(options.files ?? {})) await write(name, text);
  await writeConfig(options.config ?? { model_list: [] });
  if (options.ccproxy !== undefined) await writeCcproxy(options.ccproxy);
  const server = await startServer({
    configDir: directory,
    environment: options.environment ?? {},
    port: 0,
    ...(options.host === undefined ? {} : { host: options.host }),
    logTo: "file",
    plugins: options.plugins === undefined ? builtinPlugins : withEngines(options.plugins),
    watch: options.watch ?? false,
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    ...(options.acceptMs === undefined ? {} : { acceptMs: options.acceptMs }),
  }).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  const logText = (): Promise<string> => readFile(path.join(directory, "ccproxy.log"), "utf8");
  return {
    ...server,
    directory,
    writeConfig,
    writeCcproxy,
    write,
    logText,
    async logLines() {
      const lines = (await logText()).split("\n").filter((line) => line !== "");
      return lines.map((line): Record<string, unknown> => JSON.parse(line));
    },
    async [Symbol.asyncDispose]() {
      await server.stop(0);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A `model_list` entry that sends a group to an upstream, with a key of its own. */
export function deployment(group: string, apiBase: string, params: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    model_name: group,
    litellm_params: { model: `anthropic/${group}`, api_base: apiBase, api_key: "sk-ant-deployment-key", ...params },
  };
}
