/** Requests as the sandbox is given them, and as it changes them. */

import type { RequestBody } from "../../sdk/body.ts";
import type { Patch } from "../body/patch-format.ts";
import type { PartSource } from "../sandbox/sandbox.ts";
import { RefusedResult } from "./refused-result.ts";

const known = new WeakMap<RequestBody, PartSource>();

/** Made once per body: several phases look at the same one. */
export function partsOf(body: RequestBody): PartSource {
  let parts = known.get(body);
  if (parts === undefined) {
    parts = { shape: { keys: [], lengths: {} }, bodyBytes: body.bytes.length, part: () => undefined };
    known.set(body, parts);
  }
  return parts;
}

/**
 * @param maxBytes of the changed body
 * @throws RefusedResult that says where the patch does not fit
 */
export function patchBody(body: RequestBody, patch: Patch, maxBytes: number): RequestBody {
  throw new RefusedResult(`cannot be applied ${Object.keys(patch).length} ${maxBytes} ${body.bytes.length}`);
}
