/** What user code told its log, read back. */

import type { Proxy } from "./proxy.ts";

export interface UserLine {
  readonly file: unknown;
  readonly requestId: unknown;
  readonly text: string;
}

/** Stops the proxy; lines in the order in which they were logged. */
export async function userLog(proxy: Proxy): Promise<readonly UserLine[]> {
  await proxy.stop();
  const lines = (await proxy.logLines()).filter(({ msg }) => msg === "user code");
  return lines.map(({ file, requestId, text }) => ({ file, requestId, text: String(text) }));
}

/** Lines that are JSON, parsed: what a hook logged as `context.log(JSON.stringify(…))`. */
export async function told(proxy: Proxy): Promise<readonly Record<string, unknown>[]> {
  return (await userLog(proxy)).flatMap(({ text }): Record<string, unknown>[] => (text.startsWith("{") ? [JSON.parse(text)] : []));
}
