/** Requests as the sandbox is given them, and as it changes them. */

import type { RequestBody } from "../../sdk/body.ts";
import { PatchError } from "../body/patch-error.ts";
import { applyPatch } from "../body/patch.ts";
import type { Patch } from "../body/patch-format.ts";
import { createPartSource } from "../sandbox/part-source.ts";
import type { PartSource } from "../sandbox/sandbox.ts";
import { RefusedResult } from "./refused-result.ts";

const known = new WeakMap<RequestBody, PartSource>();

/** Made once per body: several phases look at the same one. */
export function partsOf(body: RequestBody): PartSource {
  let parts = known.get(body);
  if (parts === undefined) {
    parts = createPartSource(body);
    known.set(body, parts);
  }
  return parts;
}

/** A request with the changes of user code in it, and where it changed. */
export type PatchedBody = ReturnType<typeof applyPatch>;

/**
 * @param maxBytes of the changed body
 * @throws RefusedResult that says where the patch does not fit
 */
export function patchBody(body: RequestBody, patch: Patch, maxBytes: number): PatchedBody {
  try {
    return applyPatch(body, patch, { largestBytes: maxBytes });
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw new RefusedResult(error.message, "", { cause: error });
  }
}
