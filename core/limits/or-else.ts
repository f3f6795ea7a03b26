/** Goes on after a failure, whether it is thrown or a rejection; without waiting where there is nothing to wait for. */

import type { Awaitable } from "../../sdk/routing-store.ts";

export function orElse<Value>(work: () => Awaitable<Value>, use: (error: unknown) => Value): Awaitable<Value> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(use) : value;
  } catch (error) {
    return use(error);
  }
}
