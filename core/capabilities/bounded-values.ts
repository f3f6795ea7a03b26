/** A small set of JSON values by key that never grows beyond its limit, whatever the keys are called. */

import type { Json } from "../../sdk/body.ts";

/** Frozen, so that it may be handed to many at once. */
export type Values = { readonly [key: string]: Json };

export const noValues: Values = Object.freeze({});

const entryOverheadBytes = 150;

interface Stored {
  readonly value: Json;
  readonly bytes: number;
}

export class BoundedValues {
  readonly #maxBytes: number;
  #stored: ReadonlyMap<string, Stored> = new Map();
  #values: Values = noValues;
  #bytes = 0;

  /** @param maxBytes of the keys and values as JSON */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The same object until something changes. */
  get values(): Values {
    return this.#values;
  }

  /** What it takes up, roughly: small values cost more than their text. */
  get cost(): number {
    return this.#bytes + this.#stored.size * entryOverheadBytes;
  }

  /**
   * Takes all of the writes or none. `null` deletes.
   * @returns what is wrong with them, if anything
   */
  commit(writes: { readonly [key: string]: Json | null }): string | undefined {
    const stored = new Map(this.#stored);
    let bytes = this.#bytes;
    for (const [key, value] of Object.entries(writes)) {
      bytes -= stored.get(key)?.bytes ?? 0;
      if (value === null) {
        stored.delete(key);
        continue;
      }
      const added = jsonBytes(key) + jsonBytes(value);
      bytes += added;
      stored.set(key, { value, bytes: added });
    }
    if (bytes > this.#maxBytes) return `would hold ${bytes} bytes, at most ${this.#maxBytes} fit; nothing was written`;
    this.#stored = stored;
    this.#bytes = bytes;
    // Not by assignment: a key may be called __proto__.
    this.#values = stored.size === 0 ? noValues : Object.freeze(Object.fromEntries([...stored].map(([key, { value }]) => [key, value])));
    return undefined;
  }
}

/** Of the JSON text in UTF-8. */
export function jsonBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value), "utf8");
}
