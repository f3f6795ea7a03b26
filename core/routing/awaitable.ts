/** Goes on with a value that may have to be waited for, without waiting where it is there already. */

import type { Awaitable } from "../../sdk/routing-store.ts";

export function andThen<Value, Result>(value: Awaitable<Value>, use: (value: Value) => Awaitable<Result>): Awaitable<Result> {
  return value instanceof Promise ? value.then(use) : use(value);
}
