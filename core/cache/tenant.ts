/** Whose replies a caller may get. */

import { createHash } from "node:crypto";

import type { HeaderList } from "../../sdk/dialect.ts";

export interface CacheCaller {
  readonly kind: string;
  /** Of its own: an upstream may know it by them. */
  readonly credentials: HeaderList;
}

/**
 * What an upstream answers to somebody's own credentials is for nobody else, whatever is configured.
 *
 * @param keyId of the virtual key, where one was presented
 * @returns undefined where replies are everybody's
 */
export function tenantOf(caller: CacheCaller, keyId: string | undefined, isShared: boolean): string | undefined {
  const own = caller.credentials.length === 0 ? undefined : credentialsHash(caller.credentials);
  if (own !== undefined) return JSON.stringify([keyId ?? caller.kind, own]);
  return isShared ? undefined : JSON.stringify([keyId ?? caller.kind]);
}

function credentialsHash(credentials: HeaderList): string {
  return createHash("sha256").update(JSON.stringify(credentials)).digest("base64url");
}
