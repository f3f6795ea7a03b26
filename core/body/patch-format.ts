/** What user code changed in a JSON document: a tree along the changed paths only. Shared with the code inside the isolates. */

/**
 * - `{ v }`: this JSON text takes the value's place.
 * - `{ o }`: an object some of whose members changed; `null` deletes the member, an unknown key is added behind the last.
 * - `{ e }`: an array whose elements at these indexes changed; its length did not.
 * - `{ a }`: an array made anew out of old elements and new ones, in this order.
 */
export type Patch = ValuePatch | ObjectPatch | ElementsPatch | ArrayPatch;

export interface ValuePatch {
  /** JSON text. */
  readonly v: string;
}

export interface ObjectPatch {
  readonly o: { readonly [key: string]: Patch | null };
}

export interface ElementsPatch {
  readonly e: { readonly [index: string]: Patch };
}

export interface ArrayPatch {
  readonly a: readonly ArrayPiece[];
}

/** `[first, last]`: these old elements, both included, as they are. `[index, patch]`: an old element, changed. `{ v }`: a new one. */
export type ArrayPiece = readonly [number, number] | readonly [number, Exclude<Patch, ValuePatch>] | ValuePatch;
