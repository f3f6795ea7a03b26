/** How the cache has done since the start of the process. */

export interface CacheReport {
  /** Answered with what was stored. */
  readonly hits: number;
  /** Answered with what another request got at the same time. */
  readonly coalesced: number;
  readonly misses: number;
  readonly stored: number;
  /** Whole replies that were longer than an entry may be. */
  readonly tooLong: number;
  /** Times the store failed, or did not answer in time. */
  readonly failures: number;
  /** Given from the cache. */
  readonly bytesGiven: number;
  readonly bytesStored: number;
}

export class CacheFigures {
  #report: CacheReport = { hits: 0, coalesced: 0, misses: 0, stored: 0, tooLong: 0, failures: 0, bytesGiven: 0, bytesStored: 0 };

  given(type: "hit" | "coalesced", bytes: number): void {
    this.#add(type === "hit" ? "hits" : "coalesced", 1);
    this.#add("bytesGiven", bytes);
  }

  missed(): void {
    this.#add("misses", 1);
  }

  stored(bytes: number): void {
    this.#add("stored", 1);
    this.#add("bytesStored", bytes);
  }

  tooLong(): void {
    this.#add("tooLong", 1);
  }

  failed(): void {
    this.#add("failures", 1);
  }

  describe(): CacheReport {
    return this.#report;
  }

  #add(name: keyof CacheReport, count: number): void {
    this.#report = { ...this.#report, [name]: this.#report[name] + count };
  }
}
