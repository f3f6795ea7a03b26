/** Holds the configuration in force and replaces it whole, or not at all. */

import type { Logger } from "../sdk/log.ts";
import type { Config, Fault, LoadedConfig } from "./config/types.ts";
import type { BuiltSnapshot, Snapshot } from "./snapshot.ts";

/** What is wrong with the files on disk, while an earlier configuration stays in force. */
export interface Rejected {
  readonly at: string;
  readonly faults: readonly Fault[];
}

/** How the files on disk become a snapshot. */
export interface SnapshotSource {
  readonly load: () => Promise<LoadedConfig>;
  readonly build: (loaded: LoadedConfig, id: number, now: Date) => Promise<BuiltSnapshot>;
}

export class Snapshots {
  readonly #source: SnapshotSource;
  #current: Snapshot;
  #rejected: Rejected | undefined;
  #files: readonly string[];
  #reloading: Promise<void> = Promise.resolve();
  /** The reload that begins when the one under way is over. */
  #next: Promise<void> | undefined;
  /** What the listener and the log file were opened with. */
  readonly #started: Config;
  #release: (() => void) | undefined;

  /** @param first a snapshot built from what `source` gives, and the other files it depends on */
  constructor(first: Snapshot, files: readonly string[], source: SnapshotSource) {
    this.#current = first;
    this.#release = first.userProgram?.retain();
    this.#started = first.config;
    this.#files = [...first.config.files, ...files];
    this.#source = source;
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

  /**
   * Reads the files again. Reloads wait for each other, so the last change on disk is the one in force; whoever asks while one is
   * under way shares the next one.
   */
  reload(logger: Logger): Promise<void> {
    this.#next ??= this.#reloading.then(() => {
      this.#next = undefined;
      this.#reloading = this.#reloadNow(logger);
      return this.#reloading;
    });
    return this.#next;
  }

  async #reloadNow(logger: Logger): Promise<void> {
    try {
      const loaded = await this.#source.load();
      const { snapshot, faults, files } = await this.#source.build(loaded, this.#current.id + 1, new Date());
      this.#files = [...loaded.files, ...files];
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
      const release = this.#release;
      // Exchanges that began with the old one hold on to its program themselves.
      this.#release = snapshot.userProgram?.retain();
      this.#current = { ...snapshot, faults: [...faults, ...later] };
      release?.();
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
