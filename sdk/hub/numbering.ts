/** Numbers the blocks of a reply anew where events came or went: clients find a block by its place. */

import type { Json } from "../body.ts";
import type { BlockNumbering, JsonObject } from "../events.ts";

export class AnthropicNumbering implements BlockNumbering {
  /** From the index an event names to the place of the block. */
  readonly #places = new Map<Json | undefined, number>();
  #count = 0;

  place(event: JsonObject, isChanged: boolean): JsonObject | undefined {
    const { type, index } = event;
    if (type === "content_block_start") {
      const place = this.#count++;
      this.#places.set(index, place);
      return place === index ? event : { ...event, index: place };
    }
    if (type !== "content_block_delta" && type !== "content_block_stop") return event;
    const place = this.#places.get(index);
    // Blocks come one after the other: what names one that has ended belongs to one that was dropped.
    if (type === "content_block_stop") this.#places.delete(index);
    if (place === undefined) return isChanged ? undefined : event;
    return place === index ? event : { ...event, index: place };
  }
}
