/** Tells something to a URL, whose path may be a secret: nothing but its host is ever named. */

import { request } from "undici";

import type { Logger } from "../../sdk/log.ts";

export type Json = Readonly<Record<string, string | number | null>>;

const timeoutMs = 5000;

/** Never rejects; what fails is logged. */
export async function postJson(url: string, fields: Json, logger: Pick<Logger, "warn">): Promise<void> {
  const host = URL.parse(url)?.host;
  try {
    const { statusCode, body } = await request(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "ccproxy" },
      body: JSON.stringify(fields),
      signal: AbortSignal.timeout(timeoutMs),
    });
    await body.dump();
    if (statusCode >= 300) logger.warn({ host, status: statusCode }, "a webhook did not take an alert");
  } catch (error) {
    const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
    logger.warn({ host, error: code ?? name }, "a webhook could not be told an alert");
  }
}
