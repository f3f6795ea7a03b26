/** `ccproxy logs`: prints the end of the log and, when asked, what comes. */

import { existsSync } from "node:fs";
import type { Writable } from "node:stream";
import { formatLogLine } from "../../core/log/human.ts";
import { configDirectory } from "../config-directory.ts";
import type { Command, CommonOptions } from "../context.ts";
import { shortPath } from "../display.ts";
import { CliFailure } from "../failure.ts";
import { follow } from "../follow.ts";
import { logFilePath } from "../log-path.ts";
import { lastLines } from "../tail.ts";

interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly lines: number;
  readonly json?: boolean;
}

const logs: Command<LogsOptions> = async (context, options) => {
  const path = logFilePath(configDirectory(context, options));
  const print = (line: string): void => {
    context.stdout.write(`${options.json === true ? line : formatLogLine(line, context.stdout)}\n`);
  };
  if (options.follow === true) return await followLog(path, options.lines, print, context.stderr);
  const lines = await lastLines(path, options.lines);
  if (lines === undefined) throw new CliFailure(`there is no log yet; the server writes it to ${shortPath(path)}`);
  if (lines.length === 0 && options.lines > 0) context.stderr.write("ccproxy: the log is empty\n");
  for (const line of lines) print(line);
};
export default logs;

async function followLog(path: string, lines: number, print: (line: string) => void, stderr: Writable): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  if (!existsSync(path)) stderr.write(`ccproxy: waiting for the server to write ${shortPath(path)}\n`);
  for await (const line of follow({ path, signal: stop.signal, lines })) print(line);
}
