/** Errors of upstreams in the hub's kinds and words: those that clients act upon, without what names an account. */

import type { HeaderList } from "../dialect.ts";
import { ProxyError, type ErrorKind } from "../errors.ts";
import type { JsonObject } from "../events.ts";
import type { Target } from "../wire.ts";
import type { Json } from "../body.ts";
import { record } from "./json.ts";

export { readOverflow, type Overflow } from "./read-overflow.ts";
import type { Overflow } from "./read-overflow.ts";

/** What Claude Code takes for the window of a model it does not know. */
const presumedWindow = 200_000;

/** The sentence upon which clients make the conversation shorter. What the upstream did not say is taken from the model. */
export function overflowError({ tokens, maximum }: Overflow, target: Target): ProxyError {
  const limit = maximum ?? target.modelFacts.contextWindow ?? (tokens === undefined ? presumedWindow : Math.max(1, tokens - 1));
  const found = tokens !== undefined && tokens > limit ? tokens : limit + 1;
  return new ProxyError(`prompt is too long: ${found} tokens > ${limit} maximum`, { status: 400, kind: "invalid_request_error" });
}

export interface UpstreamErrorOptions {
  readonly status: number;
  readonly message: string;
  /** Lower case. */
  readonly headers: HeaderList;
  /** Where the upstream says more than its status does. */
  readonly kind?: ErrorKind;
}

const longestMessage = 4000;

/** An upstream's error as the caller may see it. */
export function upstreamError({ status, message, headers, kind }: UpstreamErrorOptions): ProxyError {
  const said = scrub(message.slice(0, longestMessage)).trim();
  const found = kind ?? (noMoney.test(message.slice(0, longestMessage)) ? "billing_error" : kindOf(status));
  return new ProxyError(said === "" ? `HTTP status ${status}` : said, { status, kind: found, headers: keptHeaders(headers) });
}

/** Waiting does not help, whatever the status says. OpenAI, DeepSeek, Kimi. */
const noMoney = /insufficient_quota|insufficient[ _]balance|exceeded_current_quota_error/i;

/** Undefined where the body is no JSON object. Of a list, as some hosts wrap it, the first one counts. */
export function parseErrorBody(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
    return record(Array.isArray(value) ? value[0] : value);
  } catch {
    return undefined;
  }
}

/** The kind that the hub's vendor gives a status. */
export function kindOf(status: number): ErrorKind {
  return kinds.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error");
}

const kinds: ReadonlyMap<number, ErrorKind> = new Map<number, ErrorKind>([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [408, "timeout_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [501, "not_supported"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

/** Those that say when to come back, and by which a vendor finds the request again. */
const kept = /^(?:retry-after|x-should-retry|request-id|x-request-id|x-amzn-requestid|apim-request-id|cf-ray)$/;

function keptHeaders(headers: HeaderList): Record<string, string> {
  const found = Object.fromEntries(headers.filter(([name]) => kept.test(name)));
  const milliseconds = headers.find(([name]) => name === "retry-after-ms")?.[1];
  // OpenAI and Azure say it in both units, some only in the finer one.
  if (found["retry-after"] !== undefined || milliseconds === undefined || !/^\d{1,9}(?:\.\d+)?$/.test(milliseconds)) return found;
  return { ...found, "retry-after": String(Math.ceil(Number(milliseconds) / 1000)) };
}

/** Replaces what names an account, a project or a person. */
export function scrub(message: string): string {
  return secrets.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), message);
}

const secrets: readonly (readonly [RegExp, string])[] = [
  [/\barn:aws[\w-]*:[\w-]*:[\w-]*:\d*:[^\s"',;)]+/g, "[arn]"],
  [/\/subscriptions\/[^\s"',;)]+/gi, "[subscription]"],
  [/\borg-[A-Za-z0-9]{8,}\b/g, "[organization]"],
  [/\bproj_[A-Za-z0-9]{8,}\b/g, "[project]"],
  [/\b(?:user|acct|account|team|wrkspc)[-_](?=[A-Za-z]*\d)[A-Za-z0-9]{8,}\b/g, "[account]"],
  [/\bprojects\/[\w.:-]+/g, "projects/[project]"],
  [/\b(project(?:s?[ _](?:number|id))?['"]?[:= ]+['"]?(?:project_number:)?)\d{6,}\b/gi, "$1[project]"],
  [
    /\b((?:team|account|organi[sz]ation|tenant|workspace|project|subscription)(?:[ _]id)?['"]?[:= ]+['"]?)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi,
    "$1[account]",
  ],
  [/\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b/g, "[email]"],
  [/(?<![\d.-])\d{12}(?!\w|[.-]\d)/g, "[account]"],
];
