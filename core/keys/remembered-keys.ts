/** What a key ring has found: so many keys and so many that are none, each apart, so that guesses do not push out keys. The oldest goes first. */

import type { KeyHolder } from "./access.ts";

export interface RememberedKey {
  /** Undefined: there is no such key. */
  readonly holder: KeyHolder | undefined;
}

export class RememberedKeys {
  readonly #most: number;
  readonly #keys = new Map<string, RememberedKey>();
  readonly #others = new Map<string, RememberedKey>();

  /** @param most of each */
  constructor(most: number) {
    this.#most = most;
  }

  get(id: string): RememberedKey | undefined {
    return this.#keys.get(id) ?? this.#others.get(id);
  }

  /** Makes it the newest. */
  set(id: string, entry: RememberedKey): void {
    this.#keys.delete(id);
    this.#others.delete(id);
    const kind = entry.holder === undefined ? this.#others : this.#keys;
    kind.set(id, entry);
    const [oldest] = kind.keys();
    if (kind.size > this.#most && oldest !== undefined) kind.delete(oldest);
  }

  clear(): void {
    this.#keys.clear();
    this.#others.clear();
  }
}
