/** All cases, in the order in which they are run. */

import type { Suite } from "./case.ts";
import { allTags, anyModel, names, orders, tags } from "./cases/choosing.ts";
import { allowedFails, cooldownDefaults, cooldownOff, failsPolicy } from "./cases/cooldown.ts";
import { defaultFallbacks, fallbackTables, maxFallbacks, specialFallbacks } from "./cases/fallbacks.ts";
import { retryCounts, retryDefaults, retryPolicies } from "./cases/retries.ts";
import { streams, timeouts } from "./cases/slow.ts";

export const suites: readonly Suite[] = [
  retryDefaults,
  ...retryCounts,
  retryPolicies,
  fallbackTables,
  specialFallbacks,
  defaultFallbacks,
  maxFallbacks,
  cooldownDefaults,
  ...allowedFails,
  failsPolicy,
  cooldownOff,
  names,
  anyModel,
  orders,
  tags,
  allTags,
  timeouts,
  streams,
];
