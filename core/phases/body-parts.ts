/** Requests as the sandbox is given them, and as it changes them. */

import type { RequestBody } from "../../sdk/body.ts";
import type { Facts } from "../../sdk/facts.ts";
import { PatchError } from "../body/patch-error.ts";
import { applyPatch } from "../body/patch.ts";
import type { Patch } from "../body/patch-format.ts";
import { factIndex, isLateFact } from "../sandbox/late-facts.ts";
import { createPartSource } from "../sandbox/part-source.ts";
import type { PartSource } from "../sandbox/sandbox.ts";
import { RefusedResult } from "./refused-result.ts";

const known = new WeakMap<RequestBody, { readonly facts: Facts; readonly parts: PartSource }>();

/**
 * Made once per body: several phases look at the same one.
 *
 * @param facts of the request as its phases are told of it
 */
export function partsOf(body: RequestBody, facts: Facts): PartSource {
  const made = known.get(body);
  if (made?.facts === facts) return made.parts;
  const fields = createPartSource(body);
  const parts: PartSource = {
    get shape() {
      return fields.shape;
    },
    bodyBytes: fields.bodyBytes,
    part([name, index]) {
      if (index !== factIndex) return fields.part([name, index]);
      return isLateFact(name) ? Buffer.from(JSON.stringify(facts[name])) : undefined;
    },
  };
  known.set(body, { facts, parts });
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
