/** `ccproxy run`: runs a command with its API traffic sent through the proxy. */

import { basename } from "node:path";
import { runChild } from "../child.ts";
import { existingConfigDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { shortPath } from "../display.ts";
import { logFilePath } from "../log-path.ts";
import { projectInForce } from "../project.ts";
import { runEnvironment } from "../run-environment.ts";
import { inspectState } from "../state.ts";

interface RunOptions extends CommonOptions {
  readonly command: readonly string[];
}

const run: Command<RunOptions> = async (context, options) => {
  const [command = "", ...args] = options.command;
  const directory = await existingConfigDirectory(context, options);
  const project = await projectInForce(context.cwd, directory, context.stderr);
  const proxy = await findOrStartProxy(context, directory, command);
  try {
    const token = await localToken(directory, proxy);
    const baseUrl = token === undefined && project === undefined ? proxy.url : `${proxy.url}/_run/${token ?? "-"}/${project ?? "-"}`;
    const onStart = (): void => {
      // Not before: of a command that does not exist that alone is to be said.
      if (proxy.note !== undefined) context.stderr.write(`ccproxy: ${proxy.note}\n`);
    };
    return await runChild(command, args, { env: runEnvironment(context.env, baseUrl), onStart });
  } finally {
    await proxy.stop();
  }
};
export default run;

interface Proxy {
  readonly url: string;
  readonly takesLocalToken: boolean;
  /** What the user should know of it. */
  readonly note?: string;
  stop(): Promise<void>;
}

async function findOrStartProxy(context: CliContext, directory: string, command: string): Promise<Proxy> {
  const found = await inspectState(directory);
  if (found.type === "running") {
    return { url: found.server.url, takesLocalToken: found.report.config.takesLocalToken, stop: () => Promise.resolve() };
  }
  const { startOrFail } = await import("../serve.ts");
  const server = await startOrFail({
    configDir: directory,
    environment: context.env,
    host: "127.0.0.1",
    port: 0,
    logTo: "file",
    watch: true,
  });
  const note = `no server is running, so ${basename(command)} gets one of its own at ${server.url} (log in ${shortPath(logFilePath(directory))})`;
  return { url: server.url, takesLocalToken: server.takesLocalToken, note, stop: () => server.stop(0) };
}

async function localToken(directory: string, proxy: Proxy): Promise<string | undefined> {
  if (!proxy.takesLocalToken) return undefined;
  const { readOrCreateLocalToken } = await import("../../core/local-token.ts");
  return await readOrCreateLocalToken(directory);
}
