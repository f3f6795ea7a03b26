/** Starts and stops the whole proxy: configuration, listener, hot reload, drain. */

import type { Plugin } from "../sdk/plugin.ts";
import type { Fault } from "./config/types.ts";

export interface StartOptions {
  /** Folder of `config.yaml` and `ccproxy.yaml`. */
  readonly configDir: string;
  /** Overrides the configuration. */
  readonly host?: string;
  /** Overrides the configuration; 0 picks a free port. */
  readonly port?: number;
  /** `terminal`: human lines on stderr and JSON lines in the file; `file`: the file only; `none`: nothing. */
  readonly logTo: "terminal" | "file" | "none";
  readonly plugins: readonly Plugin[];
  /** Watch the configuration files and reload on change. */
  readonly watch: boolean;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly instance: string;
  /** Presented as `x-ccproxy-token` it opens `/ccproxy/*` whatever the configured auth. Kept in the state file, 0600. */
  readonly controlToken: string;
  /** Findings that did not stop the start. */
  readonly faults: readonly Fault[];
  /**
   * Stops accepting, lets open exchanges finish for up to `graceMs` (default: configured), then ends the
   * rest with the protocol's own error. Calling it again ends at once.
   */
  stop(graceMs?: number): Promise<void>;
}

/** A start that could not happen: the message is for the terminal, complete with what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly faults: readonly Fault[];
  constructor(message: string, faults: readonly Fault[] = [], options?: ErrorOptions) {
    super(message, options);
    this.faults = faults;
  }
}

/** @throws StartError when the configuration has errors, the port is taken, or the bind is refused. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  throw new StartError(`not built yet: ${options.configDir}`);
}
