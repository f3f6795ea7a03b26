/** Watches the configuration, whichever files it consists of by now. */

import { type FileWatcher, watchFiles } from "./watch.ts";

const debounceMs = 50;

export class FollowingWatcher implements FileWatcher {
  readonly #onChange: () => void;
  readonly #watched = new Set<string>();
  readonly #watchers: FileWatcher[] = [];
  #closed = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /**
   * Watches these files and folders too, existing or not.
   *
   * @returns whether one of them was not watched before: it may have changed since it was read
   */
  async follow(paths: readonly string[]): Promise<boolean> {
    const added = paths.filter((path) => !this.#watched.has(path));
    if (this.#closed || added.length === 0) return false;
    for (const path of added) this.#watched.add(path);
    const watcher = await watchFiles(added, this.#onChange, { debounceMs });
    this.#watchers.push(watcher);
    if (this.#closed) watcher.close();
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.close();
  }
}
