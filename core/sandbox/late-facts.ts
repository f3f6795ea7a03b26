/** Facts that cost a walk over messages or tools: they travel when user code reads them, like parts of the body. */

import type { FactValues } from "../../sdk/context.ts";

export type LateFact = "toolNames" | "toolTypes" | "usedToolNames" | "hasImage";

const lateFacts: readonly LateFact[] = ["toolNames", "toolTypes", "usedToolNames", "hasImage"];

/** What stands in place of the index in the name of a part: it is a fact, not a field of the request. */
export const factIndex = -2;

/** The facts of a call; the late ones are there in phases that do not see the request, where they could not be fetched. */
export type CallFacts = Omit<FactValues, LateFact> & Partial<Pick<FactValues, LateFact>>;

export function isLateFact(name: string): name is LateFact {
  const names: readonly string[] = lateFacts;
  return names.includes(name);
}
