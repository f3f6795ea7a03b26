/** Which upstream a deployment belongs to, as far as being overloaded is concerned. */

import type { Deployment } from "../routing/deployment.ts";

export function originOf({ apiBase, producer }: Deployment): string {
  return URL.parse(apiBase)?.origin ?? producer;
}
