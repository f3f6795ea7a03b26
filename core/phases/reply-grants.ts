/** What a unit may do to replies. */

import type { LoadedUnit } from "./user-program.ts";

/** Whether it may make, change or drop calls of tools, which a client carries out. */
export function hasToolGrant({ source }: LoadedUnit): boolean {
  return source.options.grants.some(({ type }) => type === "reply");
}
