/** What a command may touch of the process it runs in; built once in main.ts, so that nothing else reads the environment. */

import type { Readable, Writable } from "node:stream";

export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The launcher's path: what a detached server is started with. */
  readonly entry: string;
}

/** A command's answer is its exit code; nothing means 0. */
export type Command<Options> = (context: CliContext, options: Options) => Promise<number | void>;

/** Options that every command takes. */
export interface CommonOptions {
  /** As given on the command line. */
  readonly configDir?: string;
}
