/** Watches the configuration, whichever files it consists of by now. */

import { stat } from "node:fs/promises";

import { type FileWatcher, watchFiles } from "./watch.ts";

const debounceMs = 50;
/** A file that is watched itself and with its folder is told of twice. */
const gatherMs = 20;
/** Clocks of file systems are coarser than ours. */
const clockMs = 20;

export class FollowingWatcher implements FileWatcher {
  readonly #onChange: () => void;
  readonly #watched = new Set<string>();
  readonly #watchers: FileWatcher[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /**
   * Watches these files and folders too, existing or not.
   *
   * @param readAt when they were read, ms since 1970
   * @returns whether one that was not watched before may have changed since then
   */
  async follow(paths: readonly string[], readAt: number): Promise<boolean> {
    const added = paths.filter((path) => !this.#watched.has(path));
    if (this.#closed || added.length === 0) return false;
    for (const path of added) this.#watched.add(path);
    const watcher = await watchFiles(added, () => this.#gather(), { debounceMs });
    this.#watchers.push(watcher);
    if (this.#closed) watcher.close();
    const changed = await Promise.all(added.map((path) => changedSince(path, readAt)));
    return changed.includes(true);
  }

  #gather(): void {
    if (this.#closed) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#onChange();
    }, gatherMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#gathering);
    for (const watcher of this.#watchers) watcher.close();
  }
}

/** By the time of the file's last change, its name and rights included. One that is gone changes when it comes back. */
async function changedSince(path: string, time: number): Promise<boolean> {
  try {
    return (await stat(path)).ctimeMs >= time - clockMs;
  } catch {
    return false;
  }
}
