/** Traces as people read them: what each hook changed, as excerpts of before and after. */

import type { RequestBody } from "../sdk/body.ts";
import { describeChanges, type DescribedChange } from "./body/describe-changes.ts";
import { PatchError } from "./body/patch-error.ts";
import { applyPatch } from "./body/patch.ts";
import type { Patch } from "./body/patch-format.ts";
import type { Trace, TraceStep } from "./trace.ts";

export interface ExplainedTrace {
  /** Whether the request was kept, so that steps have `changes`. */
  readonly recorded: boolean;
  readonly steps: readonly ExplainedStep[];
}

export interface ExplainedStep extends TraceStep {
  readonly changes?: readonly DescribedChange[];
}

/** The patches of the hooks are applied once more, one after the other, to the request as it came. */
export function explainTrace(trace: Trace): ExplainedTrace {
  let body = trace.received;
  const recorded = body !== undefined;
  const steps = trace.steps.map((step): ExplainedStep => {
    const { patch, ...detail } = step.detail ?? {};
    if (patch === undefined) return step;
    if (body === undefined) return { ...step, detail };
    const { changes, after } = describe(body, patch as Patch);
    body = after;
    return { ...step, detail, ...(changes !== undefined && { changes }) };
  });
  return { recorded, steps };
}

/** A patch of an attempt may not fit: it was made for the request with another model in it. */
function describe(
  body: RequestBody,
  patch: Patch,
): { readonly changes: readonly DescribedChange[] | undefined; readonly after: RequestBody } {
  try {
    return { changes: describeChanges(body, patch), after: applyPatch(body, patch).body };
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return { changes: undefined, after: body };
  }
}
