/** Texts that are remembered for a while, so many at most: who was remembered longest ago is forgotten first. */

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly until: number;
  older: Entry | undefined;
  newer: Entry | undefined;
}

/**
 * A chain beside the map, for a `Map` finds its oldest entry only by stepping over all that were deleted before it: at a
 * hundred thousand entries that takes a hundred times as long as all the rest.
 */
export class MemorySessions {
  readonly #entries = new Map<string, Entry>();
  readonly #most: number;
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now: number): string | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.until <= now ? undefined : entry.value;
  }

  /** @param until in the time of `now`; what is over by then is not remembered at all */
  set(key: string, value: string, until: number, now: number): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#forget(known);
    if (until > now) this.#add({ key, value, until, older: this.#newest, newer: undefined });
    while (this.#oldest !== undefined && this.#entries.size > this.#most) this.#forget(this.#oldest);
    // Two for each that comes, so that those that are over go faster than they can come.
    for (let times = 0; times < 2 && this.#oldest !== undefined && this.#oldest.until <= now; times++) this.#forget(this.#oldest);
  }

  clear(): void {
    this.#entries.clear();
    this.#oldest = this.#newest = undefined;
  }

  #add(entry: Entry): void {
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.#entries.set(entry.key, entry);
  }

  #forget(entry: Entry): void {
    const { key, older, newer } = entry;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#entries.delete(key);
  }
}
