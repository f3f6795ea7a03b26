/** A finding about an entry of `model_list`. */

import type { Fault, Location, Severity } from "../config/types.ts";

export function fault(severity: Severity, location: Location, message: string): Fault {
  return { severity, ...location, message };
}
