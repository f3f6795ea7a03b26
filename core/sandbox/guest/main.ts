/** The runtime inside an isolate: run once in every context, before anything is frozen and before user code. */

import { installPrelude } from "./prelude.ts";
import { createDispatcher } from "./dispatch.ts";
import type { Entry } from "./entry-format.ts";
import { createRuntime } from "./runtime.ts";

const runtime = createRuntime();
const dispatcher = createDispatcher();
installPrelude(globalThis, runtime.currentLog);

/** Everything the host asks comes in here. Never throws, always returns a text. */
export const entry: Entry = (operation, ...values) => {
  switch (operation) {
    case "attach":
      dispatcher.attach(String(values[0]), values[1]);
      return "";
    case "dispatch":
      return dispatcher.dispatch(String(values[0]), values.slice(1));
    case "stray":
      return dispatcher.isUsed() ? dispatcher.stray(String(values[0])) : runtime.perform(operation, values as readonly string[]);
    case "cursor":
      return dispatcher.cursor();
    default:
      return runtime.perform(operation, values as readonly string[]);
  }
};
