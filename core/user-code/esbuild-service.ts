/** esbuild's process: there while something is being compiled, gone soon after. */

import { stop } from "esbuild";

/** A reload seldom comes alone. */
const idleMs = 10_000;

let running = 0;
let timer: NodeJS.Timeout | undefined;

/** Runs something that needs esbuild; its process ends when nobody has needed it for a while. */
export async function whileInUse<Value>(work: () => Promise<Value>): Promise<Value> {
  running += 1;
  clearTimeout(timer);
  try {
    return await work();
  } finally {
    running -= 1;
    if (running === 0) timer = setTimeout(() => void stop(), idleMs).unref();
  }
}
