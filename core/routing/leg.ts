/** One stretch of a request's way: a group of deployments that may be asked for it, one after the other. */

import type { Json } from "../../sdk/body.ts";
import type { Deployment } from "./deployment.ts";
import type { ResolvedBy } from "./table.ts";

export interface Leg {
  /** As it was asked for: a label, a model, a fallback. */
  readonly name: string;
  /** The model group, or the model itself when it passes through. */
  readonly group: string;
  readonly by: ResolvedBy;
  /** Those that can be asked at all, in configuration order; never empty. */
  readonly deployments: readonly Deployment[];
  /** Fields of the request that a fallback replaces. */
  readonly overrides: Readonly<Record<string, Json>>;
}

/** Where the request goes, and under which model id. */
export interface PlannedTarget {
  readonly group: string;
  readonly deployment: Deployment;
  readonly model: string;
}
