/** Limits that hold in the host whatever a message says. */

/** Of all rules together. */
export const rulesMemoryMb = 64;
/** Of one file of hooks. The size of the young generation goes with it, and bodies want a large one. */
export const hookMemoryMb = 256;
/** For running a file's own statements when it is loaded. */
export const loadSliceMs = 2000;
/** What a run that was not let run gets on top of its slice when it is repeated: less than the proxy waits before it kills. */
export const secondChanceMs = 75;
/** For what the runtime does besides user code: reading back an answer, ending a stream. */
export const upkeepSliceMs = 100;
/** Of an answer of the runtime, in characters. */
export const maxAnswerLength = 48_000_000;
