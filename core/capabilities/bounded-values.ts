/** A small set of JSON values by key that never grows beyond its limit, whatever the keys are called. */

import type { Json } from "../../sdk/body.ts";

/** Frozen, so that it may be handed to many at once. */
export type Values = { readonly [key: string]: Json };

export const noValues: Values = Object.freeze({});

const entryOverheadBytes = 150;

interface Stored {
  readonly value: Json;
  readonly length: number;
}

export class BoundedValues {
  readonly #maxLength: number;
  #stored: ReadonlyMap<string, Stored> = new Map();
  #values: Values = noValues;
  #length = 0;

  /** @param maxLength of it all as JSON, in characters: what the code inside the isolates counts */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** The same object until something changes. */
  get values(): Values {
    return this.#values;
  }

  /** Bytes that it takes up, roughly and at most: small values cost more than their text. */
  get cost(): number {
    return 2 * this.#length + this.#stored.size * entryOverheadBytes;
  }

  /**
   * Takes all of the writes or none. `null` deletes.
   * @returns what is wrong with them, if anything
   */
  commit(writes: { readonly [key: string]: Json | null }): string | undefined {
    const stored = new Map(this.#stored);
    let length = this.#length;
    for (const [key, value] of Object.entries(writes)) {
      length -= stored.get(key)?.length ?? 0;
      if (value === null) {
        stored.delete(key);
        continue;
      }
      const added = JSON.stringify(key).length + JSON.stringify(value).length + 2;
      length += added;
      stored.set(key, { value, length: added });
    }
    if (length > this.#maxLength) return `would hold ${length} characters of JSON, at most ${this.#maxLength} fit; nothing was written`;
    this.#stored = stored;
    this.#length = length;
    // Not by assignment: a key may be called __proto__.
    this.#values = stored.size === 0 ? noValues : Object.freeze(Object.fromEntries([...stored].map(([key, { value }]) => [key, value])));
    return undefined;
  }
}

/** Of the JSON text in UTF-8. */
export function jsonBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value), "utf8");
}
