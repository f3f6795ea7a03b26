/** Holds the configuration in force and replaces it whole, or not at all. */

import type { Logger } from "../sdk/log.ts";
import type { Config, Fault, LoadedConfig } from "./config/types.ts";
import type { Registry } from "./registry.ts";
import { type Snapshot, buildSnapshot } from "./snapshot.ts";

/** What is wrong with the files on disk, while an earlier configuration stays in force. */
export interface Rejected {
  readonly at: string;
  readonly faults: readonly Fault[];
}

export class Snapshots {
  readonly #load: () => Promise<LoadedConfig>;
  readonly #registry: Registry;
  #current: Snapshot;
  #rejected: Rejected | undefined;
  #files: readonly string[];
  #reloading: Promise<void> = Promise.resolve();
  /** What the listener and the log file were opened with. */
  readonly #started: Config;

  /** @param first a snapshot built by {@link buildSnapshot} from what `load` gave */
  constructor(first: Snapshot, load: () => Promise<LoadedConfig>, registry: Registry) {
    this.#current = first;
    this.#started = first.config;
    this.#files = first.config.files;
    this.#load = load;
    this.#registry = registry;
  }

  get current(): Snapshot {
    return this.#current;
  }

  /** Read or looked for by the last load, be it in force or refused. */
  get files(): readonly string[] {
    return this.#files;
  }

  get rejected(): Rejected | undefined {
    return this.#rejected;
  }

  /** Reads the files again. Reloads wait for each other, so the last change on disk is the one in force. */
  reload(logger: Logger): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reloadNow(logger));
    return this.#reloading;
  }

  async #reloadNow(logger: Logger): Promise<void> {
    try {
      const loaded = await this.#load();
      this.#files = loaded.files;
      const { snapshot, faults } = buildSnapshot(loaded, this.#registry, this.#current.id + 1, new Date());
      if (snapshot === undefined) {
        this.#rejected = { at: new Date().toISOString(), faults };
        const errors = faults.filter(({ severity }) => severity === "error");
        logger.error(
          { faults: errors, inForce: this.#current.id },
          "the changed configuration has errors; the last good one stays in force",
        );
        return;
      }
      const later = waitingForRestart(this.#started, snapshot.config);
      this.#current = { ...snapshot, faults: [...faults, ...later] };
      this.#rejected = undefined;
      const found = faults.length + later.length;
      logger.info({ snapshot: snapshot.id, files: snapshot.config.files, faults: found }, "configuration reloaded");
    } catch (error) {
      const message = `the configuration could not be read (${error instanceof Error ? error.message : String(error)})`;
      const { files, directory } = this.#current.config;
      this.#rejected = { at: new Date().toISOString(), faults: [{ severity: "error", message, file: files[0] ?? directory }] };
      logger.error({ error }, "the configuration could not be reloaded; the last good one stays in force");
    }
  }
}

/** Changes that a reload cannot bring into force, said so that nobody waits for them. */
function waitingForRestart(started: Config, now: Config): readonly Fault[] {
  const note = (key: string, inForce: unknown): Fault => ({
    severity: "note",
    file: now.files.at(-1) ?? now.directory,
    path: key,
    message: `has changed, which takes effect with the next start; until then it is ${String(inForce)}.`,
  });
  return [
    ...(started.server.host === now.server.host ? [] : [note("host", started.server.host)]),
    ...(started.server.port === now.server.port ? [] : [note("port", started.server.port)]),
    ...(started.log.maxBytes === now.log.maxBytes ? [] : [note("log.max_mb", started.log.maxBytes / 1_048_576)]),
    ...(started.log.keep === now.log.keep ? [] : [note("log.keep", started.log.keep)]),
  ];
}
