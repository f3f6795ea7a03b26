/** Which parts of a request body travel with a call: what its units have read before, and what a run says it lacks. */

import { factIndex, isLateFact } from "./late-facts.ts";
import type { PartName, RequestShape } from "./protocol.ts";
import type { PartSource } from "./sandbox.ts";

/** An element is remembered by its distance from the nearer end: conversations grow, but are read from the ends. */
interface Remembered {
  readonly field: string;
  /** `whole`: all of it; `fact`: no field but a late fact; else counted from the front, or below 0 from the end. */
  readonly at: number | "whole" | "fact";
}

/** Beyond so many elements the array is sent whole, which is less work on both sides. */
const maxElements = 8;

/** What one unit reads in one phase. */
export class PartProfile {
  readonly #parts = new Map<string, Remembered>();

  learn(parts: readonly PartName[], shape: RequestShape): void {
    for (const [field, index] of parts) {
      if (index === factIndex) {
        this.#parts.set(`${field}:fact`, { field, at: "fact" });
        continue;
      }
      const length = shape.lengths[field] ?? 0;
      const at = index < 0 ? "whole" : index < length - 1 - index ? index : index - length;
      if (this.#parts.get(`${field}:whole`) !== undefined) continue;
      if (at === "whole") for (const [key, part] of this.#parts) if (part.field === field) this.#parts.delete(key);
      this.#parts.set(`${field}:${at}`, { field, at });
      if (at !== "whole" && this.#count(field) > maxElements) this.learn([[field, -1]], shape);
    }
  }

  /** What of it a request of this shape has. */
  addTo(parts: PartSet, shape: RequestShape): void {
    for (const { field, at } of this.#parts.values()) {
      if (at === "fact") {
        parts.add([field, factIndex]);
        continue;
      }
      if (at === "whole") {
        if (shape.keys.includes(field)) parts.add([field, -1]);
        continue;
      }
      const length = shape.lengths[field] ?? 0;
      const index = at < 0 ? length + at : at;
      if (index >= 0 && index < length) parts.add([field, index]);
    }
  }

  #count(field: string): number {
    let count = 0;
    for (const part of this.#parts.values()) if (part.field === field) count++;
    return count;
  }
}

/** The parts of one call; a whole field takes the place of its elements. */
export class PartSet {
  readonly #parts = new Map<string, PartName>();
  readonly #whole = new Set<string>();

  /** False when it was there. */
  add(part: PartName): boolean {
    const [field, index] = part;
    if (index !== factIndex && this.#whole.has(field)) return false;
    if (index === -1) {
      this.#whole.add(field);
      for (const [key, [other, at]] of this.#parts) if (other === field && at >= 0) this.#parts.delete(key);
    }
    const key = `${field}:${index}`;
    if (this.#parts.has(key)) return false;
    this.#parts.set(key, part);
    return true;
  }

  hasElementsOf(field: string): boolean {
    for (const [other, index] of this.#parts.values()) if (other === field && index >= 0) return true;
    return false;
  }

  /** The list for the message, and the bytes in the same order. */
  collect(body: PartSource): { readonly parts: readonly (readonly [string, number, number])[]; readonly payload: readonly Uint8Array[] } {
    const parts: [string, number, number][] = [];
    const payload: Uint8Array[] = [];
    for (const name of this.#parts.values()) {
      const bytes = body.part(name);
      if (bytes === undefined) continue;
      parts.push([name[0], name[1], bytes.length]);
      payload.push(bytes);
    }
    return { parts, payload };
  }
}

/** Parts as a host names them, those that exist; or what is wrong with them. */
export function readParts(value: unknown, shape: RequestShape): readonly PartName[] | string {
  if (!Array.isArray(value)) return "it did not say which parts it lacks";
  const parts: PartName[] = [];
  for (const part of value.slice(0, 10_000)) {
    if (!Array.isArray(part) || part.length !== 2) return "it named a part in no known way";
    const [field, index]: readonly unknown[] = part;
    if (typeof field !== "string" || typeof index !== "number" || !Number.isSafeInteger(index) || index < factIndex)
      return "it named a part in no known way";
    if (index === factIndex ? isLateFact(field) : index < 0 ? shape.keys.includes(field) : index < (shape.lengths[field] ?? 0))
      parts.push([field, index]);
  }
  return parts;
}
