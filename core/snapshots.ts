/** Holds the configuration in force and replaces it whole, or not at all. */

import type { Logger } from "../sdk/log.ts";
import type { Fault, LoadedConfig } from "./config/types.ts";
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

  /** @param first a snapshot built by {@link buildSnapshot} from what `load` gave */
  constructor(first: Snapshot, load: () => Promise<LoadedConfig>, registry: Registry) {
    this.#current = first;
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
      this.#current = snapshot;
      this.#rejected = undefined;
      logger.info({ snapshot: snapshot.id, files: snapshot.config.files, faults: faults.length }, "configuration reloaded");
    } catch (error) {
      const message = `the configuration could not be read (${error instanceof Error ? error.message : String(error)})`;
      const { files, directory } = this.#current.config;
      this.#rejected = { at: new Date().toISOString(), faults: [{ severity: "error", message, file: files[0] ?? directory }] };
      logger.error({ error }, "the configuration could not be reloaded; the last good one stays in force");
    }
  }
}
