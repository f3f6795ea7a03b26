/** `ccproxy stop`: ends the server and returns when it is really gone. */

import { configDirectory } from "../config-directory.ts";
import type { Command, CommonOptions } from "../context.ts";
import { CliFailure } from "../failure.ts";
import { inspectState, removeStale } from "../state.ts";
import { stopServer } from "../stop-server.ts";

const stop: Command<CommonOptions> = async (context, options) => {
  const directory = configDirectory(context, options);
  const found = await inspectState(directory);
  if (found.type === "none") throw new CliFailure("no server is running");
  if (found.type === "stale") {
    await removeStale(directory, found.claim);
    throw new CliFailure(`no server is running; removed what an earlier one left behind (${found.reason})`);
  }
  await stopServer(directory, found, (text) => context.stderr.write(`ccproxy: ${text}\n`));
  context.stdout.write(`ccproxy stopped (process ${found.state.pid})\n`);
};
export default stop;
