/** Fields that user code adds to the record of a request: as many as a line of the log can bear. */

import type { Json } from "../sdk/body.ts";

const maxFields = 32;
/** Of all of them, as JSON. A stream may annotate with every event. */
const maxLength = 16 * 1024;

export class Annotations {
  readonly #values = new Map<string, Json>();
  readonly #lengths = new Map<string, number>();
  #length = 0;

  get values(): ReadonlyMap<string, Json> {
    return this.#values;
  }

  /** What goes beyond the limits is dropped, and what was there before stays. */
  set(key: string, value: Json): void {
    const added = JSON.stringify(key).length + JSON.stringify(value).length;
    const length = this.#length - (this.#lengths.get(key) ?? 0) + added;
    if (length > maxLength || (!this.#values.has(key) && this.#values.size >= maxFields)) return;
    this.#values.set(key, value);
    this.#lengths.set(key, added);
    this.#length = length;
  }
}
