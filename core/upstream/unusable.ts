/** Answers that are none: a redirect, or the page of a captive portal where JSON was wanted. */

import { ProxyError } from "../../sdk/errors.ts";
import { headerValue } from "./headers.ts";
import type { UpstreamResponse } from "./send.ts";

export interface UnusableOptions {
  /** Base URL of the deployment, for the message. */
  readonly apiBase: string;
  /** Whether somebody here knows how to read this type. */
  readonly isKnown: (contentType: string) => boolean;
  /** Takes secrets out of a text that came from the upstream. */
  readonly hide: (text: string) => string;
}

const redirects = new Set([301, 302, 303, 307, 308]);
const excerptLength = 200;

/** An error to answer with in place of this response, whose body is then given up; undefined when it can be used. */
export async function describeUnusable(response: UpstreamResponse, options: UnusableOptions): Promise<ProxyError | undefined> {
  if (redirects.has(response.status)) {
    await response.body.return();
    return unusable(redirected(response, options.apiBase));
  }
  const contentType = headerValue(response.headers, "content-type")?.toLowerCase() ?? "";
  const isUsable =
    response.status !== 200 ||
    contentType === "" ||
    contentType.startsWith("text/event-stream") ||
    contentType.includes("json") ||
    options.isKnown(contentType);
  return isUsable ? undefined : unusable(await page(response, contentType, options));
}

/** Not followed: credentials go to configured hosts only. Not handed on either: the client would follow, with its own. */
function redirected({ status, headers }: UpstreamResponse, apiBase: string): string {
  const target = URL.parse(headerValue(headers, "location") ?? "", apiBase);
  const where = target === null || target.origin === "null" ? "elsewhere" : `to ${target.origin}`;
  return `${apiBase} answered ${status}, a redirect ${where}. Redirects are not followed, since credentials go to configured hosts only. Is api_base right?`;
}

/** The first words of a page tell where one has come to. */
async function page(response: UpstreamResponse, contentType: string, { apiBase, hide }: UnusableOptions): Promise<string> {
  const first = await response.body.next();
  await response.body.return();
  const text = first.done === true ? "" : Buffer.from(first.value).toString("utf8");
  return `${apiBase} answered 200 with ${hide(contentType)} instead of JSON or an event stream. Is api_base right? It begins: ${excerpt(text, hide)}`;
}

/** Secrets are taken out before anything is cut, and what may be the beginning of one at the cut goes too. */
function excerpt(text: string, hide: (text: string) => string): string {
  const shown = hide(text)
    .slice(0, excerptLength)
    .replace(/[^\s<>]+$/, "")
    .replace(/\s+/g, " ")
    .trim();
  return shown === "" ? "nothing that could be shown" : shown;
}

function unusable(message: string): ProxyError {
  // The same question would get the same answer.
  return new ProxyError(message, { status: 502, kind: "api_error", headers: { "x-should-retry": "false" } });
}
