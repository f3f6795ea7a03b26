/** `ccproxy start`: the server in this terminal, or in the background once it is ready. */

import { existingConfigDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { painter, shortPath } from "../display.ts";
import { CliFailure } from "../failure.ts";
import { warnOfOpenFiles } from "../permissions.ts";
import type { ParentMessage, ServerMessage } from "../detach.ts";

interface StartCommandOptions extends CommonOptions {
  readonly host?: string;
  readonly port?: number;
  readonly detach?: boolean;
  /** This is the server that `--detach` started. */
  readonly background?: boolean;
}

const start: Command<StartCommandOptions> = async (context, options) => {
  const directory = await existingConfigDirectory(context, options);
  if (options.background === true) return await serveInBackground(context.env, directory, options);
  await warnOfOpenFiles(directory, context.stderr);
  if (options.detach === true) {
    const { startDetached } = await import("../detach.ts");
    return await startDetached(context, directory, options);
  }
  // Files made from here on are for their owner alone.
  process.umask(0o077);
  const { serve } = await import("../serve.ts");
  const paint = painter(context.stderr);
  const { server, stopped } = await serve({
    ...options,
    directory,
    environment: context.env,
    mode: "foreground",
    notify: (text) => context.stderr.write(`ccproxy: ${text}\n`),
  });
  context.stderr.write(
    `ccproxy listens on ${paint("bold", server.url)}, configuration in ${shortPath(directory)}\n` +
      `Use it with "ccproxy run claude", or set ANTHROPIC_BASE_URL=${server.url}. Ctrl-C stops it.\n`,
  );
  return await stopped;
};
export default start;

/** The other end of {@link startDetached}: reports over the channel, and does not outlive a parent that never took note. */
async function serveInBackground(environment: CliContext["env"], directory: string, options: StartCommandOptions): Promise<number> {
  const { serve } = await import("../serve.ts");
  process.umask(0o077);
  const report = (message: ServerMessage): void => {
    // The parent may be gone; then the disconnect is dealt with below.
    process.send?.(message, undefined, undefined, () => undefined);
  };
  try {
    const serving = await serve({ ...options, directory, environment, mode: "detached", notify: (text) => report({ type: "note", text }) });
    const abandon = (): void => serving.stop();
    process.once("disconnect", abandon);
    process.on("message", (message: ParentMessage) => {
      if (message.type !== "adopt") return;
      process.off("disconnect", abandon);
      process.disconnect();
    });
    if (process.connected) report({ type: "listening", url: serving.server.url });
    else serving.stop();
    return await serving.stopped;
  } catch (error) {
    if (!(error instanceof CliFailure) || !process.connected) throw error;
    await new Promise<void>((resolve) => process.send?.({ type: "failed", text: error.message } satisfies ServerMessage, () => resolve()));
    process.disconnect();
    return error.exitCode;
  }
}
