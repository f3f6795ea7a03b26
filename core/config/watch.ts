/** Tells when files change, however an editor writes them: in place, by renaming, with the folder made anew. */

import { watch, type FSWatcher } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";

export interface FileWatcher {
  close(): void;
}

export interface WatchOptions {
  /** Changes this close together are told once, ms. */
  readonly debounceMs: number;
}

/** What counts in a watched folder; a log or a state file in the same folder is no change. */
const watchedEndings: ReadonlySet<string> = new Set([".yaml", ".yml", ".ts", ".mts", ".js", ".mjs"]);

/** How long a stream of changes may put off the telling, as a multiple of the debounce time. */
const maxDelays = 10;
/** Where the system grants no more watches. */
const pollMs = 1000;

/**
 * Watches files, existing or not, and folders (their YAML and code files, not what lies deeper). Telling goes by
 * what the files are, not by the events: a touch of something else in the folder tells nothing.
 *
 * @param onChange is given the paths, of those watched, that changed
 */
export async function watchFiles(
  paths: readonly string[],
  onChange: (changed: readonly string[]) => void,
  options: WatchOptions,
): Promise<FileWatcher> {
  const watcher = new Watcher([...new Set(paths.map((path) => resolve(path)))], onChange, options.debounceMs);
  await watcher.start();
  return watcher;
}

interface WatchedFolder {
  readonly identity: string;
  readonly handle: FSWatcher | undefined;
}

class Watcher implements FileWatcher {
  readonly #targets: readonly string[];
  readonly #onChange: (changed: readonly string[]) => void;
  readonly #debounceMs: number;
  readonly #folders = new Map<string, WatchedFolder>();
  #names = new Map<string, Set<string>>();
  #signatures = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #firstEventAt: number | undefined;
  #checking = false;
  #again = false;
  #closed = false;

  constructor(targets: readonly string[], onChange: (changed: readonly string[]) => void, debounceMs: number) {
    this.#targets = targets;
    this.#onChange = onChange;
    this.#debounceMs = debounceMs;
  }

  async start(): Promise<void> {
    await this.#arm();
    this.#signatures = await this.#look();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
    for (const { handle } of this.#folders.values()) handle?.close();
    this.#folders.clear();
  }

  #schedule(): void {
    if (this.#closed) return;
    const now = performance.now();
    this.#firstEventAt ??= now;
    if (this.#timer !== undefined && now - this.#firstEventAt > this.#debounceMs * maxDelays) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), this.#debounceMs);
  }

  async #check(): Promise<void> {
    this.#timer = undefined;
    this.#firstEventAt = undefined;
    if (this.#checking) {
      this.#again = true;
      return;
    }
    this.#checking = true;
    // Watches first: what changes after that makes an event, what changed before shows in the look.
    await this.#arm();
    const signatures = await this.#look();
    this.#checking = false;
    if (this.#closed) return;
    const changed = this.#targets.filter((target) => signatures.get(target) !== this.#signatures.get(target));
    this.#signatures = signatures;
    if (changed.length > 0) this.#onChange(changed);
    if (this.#again) {
      this.#again = false;
      this.#schedule();
    }
  }

  async #look(): Promise<Map<string, string>> {
    return new Map(await Promise.all(this.#targets.map(async (target) => [target, await signature(target)] as const)));
  }

  /** Makes the watches fit the folders there are now. */
  async #arm(): Promise<void> {
    const wanted = new Map<string, Set<string>>();
    for (const target of this.#targets) await addFolders(target, wanted);
    this.#names = wanted;
    for (const [folder, { handle, identity }] of this.#folders) {
      if (wanted.has(folder) && (await folderIdentity(folder)) === identity) continue;
      handle?.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted.keys()) {
      if (this.#closed || this.#folders.has(folder)) continue;
      const identity = await folderIdentity(folder);
      if (identity !== undefined) this.#folders.set(folder, { identity, handle: this.#watch(folder) });
    }
    if (this.#closed) this.close();
  }

  #watch(folder: string): FSWatcher | undefined {
    try {
      const handle = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || this.#concerns(folder, name)) this.#schedule();
      });
      handle.on("error", () => {
        handle.close();
        this.#folders.delete(folder);
        this.#schedule();
      });
      return handle;
    } catch {
      this.#poll ??= setInterval(() => this.#schedule(), pollMs).unref();
      return undefined;
    }
  }

  #concerns(folder: string, name: string): boolean {
    // The folder's own name comes when it is moved or deleted.
    if (name === basename(folder)) return true;
    return this.#names.get(folder)?.has(name) === true || (this.#targets.includes(folder) && watchedEndings.has(extname(name)));
  }
}

/** Adds the folders in which a change of the target shows, each with the names to look for. */
async function addFolders(target: string, folders: Map<string, Set<string>>): Promise<void> {
  const add = (path: string): void => {
    const folder = dirname(path);
    const names = folders.get(folder) ?? new Set();
    folders.set(folder, names.add(basename(path)));
  };
  const real = await realpath(target).catch(() => target);
  for (const path of new Set([target, real])) {
    add(path);
    // Up to the first folder that exists, and the one above it, in which it may be replaced.
    let folder = dirname(path);
    while ((await folderIdentity(folder)) === undefined && folder !== dirname(folder)) {
      add(folder);
      folder = dirname(folder);
    }
    add(folder);
  }
  if ((await folderIdentity(target)) !== undefined && !folders.has(target)) folders.set(target, new Set());
}

async function folderIdentity(folder: string): Promise<string | undefined> {
  const stats = await stat(folder).catch(() => undefined);
  return stats?.isDirectory() === true ? `${stats.dev}:${stats.ino}` : undefined;
}

async function signature(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  if (stats === undefined) return "absent";
  if (!stats.isDirectory()) return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
  const names = (await readdir(path).catch(() => [])).filter((name) => watchedEndings.has(extname(name))).sort();
  const parts = await Promise.all(names.map(async (name) => `${name}=${await fileSignature(join(path, name))}`));
  return parts.join("|");
}

async function fileSignature(file: string): Promise<string> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined);
  return stats === undefined ? "absent" : `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}
