/** `context.signal`: aborted when the caller has left or the time is up. */

import type { AbortSignalView } from "../../../sdk/context.ts";

export interface Signal {
  readonly view: AbortSignalView;
  abort(reason: string): void;
}

export function createSignal(): Signal {
  const listeners = new Set<() => void>();
  let reason: Error | undefined;
  const view: AbortSignalView = Object.freeze({
    get aborted() {
      return reason !== undefined;
    },
    get reason() {
      return reason;
    },
    throwIfAborted() {
      if (reason !== undefined) throw reason;
    },
    addEventListener(_type: "abort", listener: () => void) {
      listeners.add(listener);
    },
    removeEventListener(_type: "abort", listener: () => void) {
      listeners.delete(listener);
    },
  });
  return {
    view,
    abort(text) {
      if (reason !== undefined) return;
      reason = new Error(text);
      reason.name = "AbortError";
      const told = [...listeners];
      listeners.clear();
      for (const listener of told) {
        try {
          listener();
        } catch {
          // What a listener throws changes nothing: the run is about to end.
        }
      }
    },
  };
}
