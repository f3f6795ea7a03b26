/** Keys of a rule's or hook's entry that say what its file may do and how long. */

import type { Parameters, UnitOptions } from "./types.ts";

export const noParameters: Parameters = { positional: [], named: {} };

export const noOptions: UnitOptions = { grants: [], required: undefined, onError: undefined, sliceMs: undefined, timeoutMs: undefined };
