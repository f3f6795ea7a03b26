/** ccproxy as a gateway to be asked: in this process, as all tests have it. */

import { startProxy } from "../helpers/proxy.ts";
import type { Gateway } from "./outcome.ts";
import type { StartGateway } from "./run-suite.ts";

/** @param wait lets time pass, as ccproxy sees it */
export function ccproxyStarter(wait: Gateway["wait"]): StartGateway {
  return async (config) => {
    const proxy = await startProxy({ config });
    return { url: proxy.url, wait, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
  };
}
