/** What a caller says of how its request is to be routed: controls in the body and in headers, none of them for an upstream. */

import type { FallbackTarget } from "../config/router-types.ts";

export interface RequestOptions {
  readonly fallbacks: readonly FallbackTarget[] | undefined;
  readonly retries: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly streamTimeoutMs: number | undefined;
  readonly tags: readonly string[];
  readonly disableFallbacks: boolean;
}

export const noRequestOptions: RequestOptions = {
  fallbacks: undefined,
  retries: undefined,
  timeoutMs: undefined,
  streamTimeoutMs: undefined,
  tags: [],
  disableFallbacks: false,
};
