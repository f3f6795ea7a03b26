/** Under which id the spend and the limits of a key are kept: whoever changes its secret begins nothing anew. */

import type { VirtualKey } from "../../sdk/keys.ts";

export function accountOf({ id, accountId }: Pick<VirtualKey, "id" | "accountId">): string {
  return accountId ?? id;
}
