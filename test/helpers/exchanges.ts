/** What a proxy under test knows of its exchanges, seen from outside. */

import type { IncomingHttpHeaders } from "node:http";

import type { StatusReport } from "../../core/status.ts";
import type { TraceStep } from "../../core/trace.ts";
import { ask } from "./client.ts";
import type { Proxy } from "./proxy.ts";

export async function statusOf(proxy: Proxy): Promise<StatusReport> {
  const answer = await ask(proxy.url, undefined, {
    method: "GET",
    path: "/ccproxy/status",
    headers: { "x-ccproxy-token": proxy.controlToken },
  });
  // The server's own answer, as its contract says.
  const report: StatusReport = JSON.parse(answer.text);
  return report;
}

/** The steps of a request that has ended. */
export async function traceOf(proxy: Proxy, answer: { readonly headers: IncomingHttpHeaders }): Promise<readonly TraceStep[]> {
  const id = String(answer.headers["x-ccproxy-request-id"]);
  const { text } = await ask(proxy.url, undefined, {
    method: "GET",
    path: `/ccproxy/traces/${id}`,
    headers: { "x-ccproxy-token": proxy.controlToken },
  });
  const { steps }: { readonly steps: readonly TraceStep[] } = JSON.parse(text);
  return steps;
}

/** Resolves when no exchange is open. */
export async function untilIdle(proxy: Proxy): Promise<void> {
  while ((await statusOf(proxy)).openExchanges > 0);
}

/** Stops the proxy and returns the access record of each exchange, in the order in which they ended. */
export async function recordsOf(proxy: Proxy): Promise<readonly Record<string, unknown>[]> {
  await proxy.stop(0);
  return (await proxy.logLines()).filter((line) => line["msg"] === "request");
}
