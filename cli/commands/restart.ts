/** `ccproxy restart`: stops the server if there is one, and starts it as it was. */

import { configDirectory } from "../config-directory.ts";
import type { Command, CommonOptions } from "../context.ts";
import { inspectState, removeStale } from "../state.ts";
import { stopServer } from "../stop-server.ts";

interface RestartOptions extends CommonOptions {
  readonly host?: string;
  readonly port?: number;
  readonly detach?: boolean;
}

const restart: Command<RestartOptions> = async (context, options) => {
  const directory = configDirectory(context, options);
  const notify = (text: string): void => {
    context.stderr.write(`ccproxy: ${text}\n`);
  };
  const found = await inspectState(directory);
  const { default: start } = await import("./start.ts");
  if (found.type === "none" || found.type === "stale") {
    if (found.type === "stale") await removeStale(directory, found.claim);
    notify("no server was running; starting one");
    return await start(context, options);
  }
  const { state } = found;
  await stopServer(directory, found, notify);
  notify(`stopped process ${state.pid}`);
  return await start(context, { ...state.requested, detach: state.mode === "detached", ...options });
};
export default restart;
