/** Applies what user code changed to the original bytes: only the changed stretches are written, all else stays as it came. */

import type { RequestBody } from "../../sdk/body.ts";
import { viewBytes } from "./byte-view.ts";
import type { Patch } from "./patch-format.ts";
import { PatchError } from "./patch-error.ts";
import { createPlan } from "./patch-plan.ts";
import { readPatchLevel } from "./patch-shape.ts";
import { planValue } from "./patch-value.ts";
import { createIndexedBody, createRequestBody, lookInside } from "./request-body.ts";
import { indexFields, type BodyIndex } from "./scan.ts";
import { createMover, moveJumps, spliceSpan, writeRope, type Splice } from "./splices.ts";

export interface PatchLimits {
  /** Of the body that results; 32 MB when not given. */
  readonly largestBytes?: number;
}

/** JSON paths of what changed, as they were in the old document; at most 1,000. None: nothing did. */
type ChangedPaths = readonly string[];

const LARGEST_BYTES = 32 * 1024 * 1024;
/** When more than this is new, a scan of the whole body pays off: walks would read the new bytes one by one each time. */
const MOST_UNSCANNED_BYTES = 64 * 1024;

/**
 * A body with the changes of a patch in it, which nobody needs to trust. Where a name on the way to a change is
 * repeated, all of its values become the same.
 *
 * @throws PatchError naming the JSON path, when the patch is no patch, does not fit the body, or makes it too
 *         big or deeper than 200 levels
 */
export function applyPatch(
  body: RequestBody,
  patch: Patch,
  limits: PatchLimits = {},
): { readonly body: RequestBody; readonly changed: ChangedPaths } {
  const largestBytes = limits.largestBytes ?? LARGEST_BYTES;
  const { view, index } = lookInside(body);
  const plan = createPlan(view, index.jumps, largestBytes);
  if (readPatchLevel(patch, "", plan.stepsLeft).type !== "object") throw new PatchError("", "it has to stay an object");
  const splices = planValue(plan, { start: index.open, end: index.close }, patch, "", 0);
  if (splices.length === 0) return { body, changed: [] };

  const rope = spliceSpan({ start: 0, end: view.bytes.length }, splices);
  if (rope.bytes > largestBytes) throw new PatchError("", `it would have ${rope.bytes} bytes, more than ${largestBytes}`);
  const bytes = writeRope(view.bytes, rope);
  const added = splices.reduce((sum, splice) => sum + splice.content.bytes, 0);
  const changed = [...plan.changed];
  if (added > MOST_UNSCANNED_BYTES) return { body: createRequestBody(bytes), changed };
  return { body: createIndexedBody(moveIndex(bytes, index, splices)), changed };
}

/**
 * The same for the bytes of any JSON object, e.g. a reply.
 *
 * @throws PatchError, and ProxyError `invalid_request_error` when the bytes are not one JSON object
 */
export function applyPatchToJson(
  bytes: Uint8Array,
  patch: Patch,
  limits: PatchLimits = {},
): { readonly bytes: Uint8Array; readonly changed: ChangedPaths } {
  const { body, changed } = applyPatch(createRequestBody(bytes), patch, limits);
  return { bytes: body.bytes, changed };
}

function moveIndex(bytes: Buffer, index: BodyIndex, splices: readonly Splice[]): Parameters<typeof createIndexedBody>[0] {
  const mover = createMover(splices);
  const view = viewBytes(bytes);
  const jumps = moveJumps(index.jumps, splices, mover);
  const span = { start: index.open, end: mover.end(index.close) };
  return { view, index: { open: span.start, close: span.end, fields: indexFields(view, jumps, span), jumps } };
}
