/** What a caller says of how its request is to be routed: controls in the body and in headers, none of them for an upstream. */

import type { Json, RequestBody } from "../../sdk/body.ts";
import type { Received } from "../../sdk/dialect.ts";
import type { HeaderReader } from "../../sdk/facts.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import { bufferOf, itemsOf, memberOf, removeItems, spliceBytes } from "../../sdk/hub/json-bytes.ts";
import { record } from "../../sdk/hub/json.ts";
import { createRequestBody } from "../body/request-body.ts";
import { type CacheControls, noCacheControls, readCacheRequest } from "../cache/controls.ts";
import type { FallbackTable, FallbackTarget } from "../config/router-types.ts";
import { readFallbackControl, readTableControl } from "./fallback-controls.ts";
import type { MockedFailure } from "./mock-failure.ts";
import { readFlag, readRetries, readSeconds, readTags } from "./read-control.ts";

export interface RequestOptions {
  /** Groups to try after any failure, in place of the configured ones. */
  readonly fallbacks: readonly FallbackTarget[] | undefined;
  /** The same by group, as the configuration has it; each in place of the configured one. */
  readonly fallbackTables?: FallbackTables;
  readonly retries: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly streamTimeoutMs: number | undefined;
  readonly tags: readonly string[];
  readonly disableFallbacks: boolean;
  /** The group that is asked fails in this way, without being asked: for trying out what is configured. */
  readonly mock?: MockedFailure;
  /** What it says of the cache. */
  readonly cache?: CacheControls;
  /** Fields of the body that are no part of the request. */
  readonly controls?: readonly string[];
}

export interface FallbackTables {
  readonly general?: FallbackTable;
  readonly contextWindow?: FallbackTable;
  readonly contentPolicy?: FallbackTable;
}

export const noRequestOptions: RequestOptions = {
  fallbacks: undefined,
  retries: undefined,
  timeoutMs: undefined,
  streamTimeoutMs: undefined,
  tags: [],
  disableFallbacks: false,
};

/** LiteLLM's names. No dialect has fields of these names, but for the hub's `fallbacks` and everybody's `metadata`. */
const fields = [
  "fallbacks",
  "context_window_fallbacks",
  "content_policy_fallbacks",
  "num_retries",
  "timeout",
  "stream_timeout",
  "tags",
  "disable_fallbacks",
  "mock_testing_fallbacks",
  "mock_testing_context_fallbacks",
  "mock_testing_content_policy_fallbacks",
  "mock_testing_rate_limit_error",
  "mock_timeout",
  "litellm_metadata",
  "cache",
] as const;

type Field = (typeof fields)[number];

/** Inside of `metadata`, which is the request's own. */
const tagsInMetadata = "metadata.tags";

const headers = [
  "x-litellm-num-retries",
  "x-litellm-timeout",
  "x-litellm-stream-timeout",
  "x-litellm-tags",
  "x-litellm-disable-fallbacks",
  "cache-control",
];

/**
 * Costs next to nothing where nothing is said.
 *
 * @param dialect name of the one the request is in
 * @param allowedCacheControls what the caller's key may say of the cache; undefined: everything
 * @throws ProxyError 400 that names the field, for what it cannot hold
 */
export function readRequestOptions(
  { body, headers: received }: Pick<Received, "body" | "headers">,
  dialect: string,
  allowedCacheControls?: readonly string[],
): RequestOptions {
  const present = fields.filter((field) => body.field(field) !== undefined && !isNative(field, body, received, dialect));
  const inMetadata = metadataTags(body);
  if (present.length === 0 && inMetadata === undefined && headers.every((name) => received.get(name) === undefined))
    return noRequestOptions;
  const value = (field: Field): Json | undefined => (present.includes(field) ? body.value(field) : undefined);
  const fallbacks = readFallbackControl(value("fallbacks"));
  const tables = tablesOf(fallbacks.table, value);
  const mock = mockOf(value);
  const cache = readCacheRequest(value("cache"), received.get("cache-control"), allowedCacheControls);
  return {
    fallbacks: fallbacks.list,
    ...(tables === undefined ? {} : { fallbackTables: tables }),
    // What a header says goes before the body, but for tags, as with LiteLLM.
    retries:
      readRetries("x-litellm-num-retries", received.get("x-litellm-num-retries")) ?? readRetries("num_retries", value("num_retries")),
    timeoutMs: readSeconds("x-litellm-timeout", received.get("x-litellm-timeout")) ?? readSeconds("timeout", value("timeout")),
    streamTimeoutMs:
      readSeconds("x-litellm-stream-timeout", received.get("x-litellm-stream-timeout")) ??
      readSeconds("stream_timeout", value("stream_timeout")),
    tags: tagsOf(received, [
      ["tags", value("tags")],
      ["litellm_metadata.tags", record(value("litellm_metadata"))?.["tags"]],
      [tagsInMetadata, inMetadata],
    ]),
    disableFallbacks:
      readFlag("x-litellm-disable-fallbacks", received.get("x-litellm-disable-fallbacks")) ??
      readFlag("disable_fallbacks", value("disable_fallbacks")) ??
      false,
    ...(mock === undefined ? {} : { mock }),
    ...(cache === noCacheControls ? {} : { cache }),
    controls: inMetadata === undefined ? present : [...present, tagsInMetadata],
  };
}

/** Anthropic's own: `"default"`, or a list together with the beta it belongs to. */
function isNative(field: Field, body: RequestBody, received: HeaderReader, dialect: string): boolean {
  if (field !== "fallbacks" || dialect !== hubDialect) return false;
  return typeof body.value(field) === "string" || (received.get("anthropic-beta") ?? "").includes("server-side-fallback-");
}

/** A list; a text is the client's own, as OpenAI's metadata are texts. */
function metadataTags(body: RequestBody): Json | undefined {
  const metadata = body.field("metadata");
  if (metadata === undefined || !bufferOf(body.slice(metadata)).includes("tags")) return undefined;
  const tags = body.members(metadata).get("tags");
  const value = tags === undefined ? undefined : body.read(tags);
  return Array.isArray(value) ? value : undefined;
}

/** @param places the first that says something counts; a header does where none does */
function tagsOf(received: HeaderReader, places: readonly (readonly [where: string, value: Json | undefined])[]): readonly string[] {
  for (const [where, value] of places) {
    const tags = readTags(where, value);
    if (tags !== undefined) return tags;
  }
  const listed = (received.get("x-litellm-tags") ?? "").split(",").map((tag) => tag.trim());
  return [...new Set(listed.filter((tag) => tag !== ""))];
}

function tablesOf(general: FallbackTable | undefined, value: (field: Field) => Json | undefined): FallbackTables | undefined {
  const contextWindow = readTableControl("context_window_fallbacks", value("context_window_fallbacks"));
  const contentPolicy = readTableControl("content_policy_fallbacks", value("content_policy_fallbacks"));
  if (general === undefined && contextWindow === undefined && contentPolicy === undefined) return undefined;
  return {
    ...(general === undefined ? {} : { general }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(contentPolicy === undefined ? {} : { contentPolicy }),
  };
}

const mocks: readonly (readonly [Field, MockedFailure])[] = [
  ["mock_testing_fallbacks", "server"],
  ["mock_testing_context_fallbacks", "context-window"],
  ["mock_testing_content_policy_fallbacks", "content-policy"],
  ["mock_testing_rate_limit_error", "rate-limit"],
  ["mock_timeout", "timeout"],
];

function mockOf(value: (field: Field) => Json | undefined): MockedFailure | undefined {
  return mocks.find(([field]) => readFlag(field, value(field)) === true)?.[1];
}

/** The body as an upstream may see it: every other byte as it came. The same one where there are no controls. */
export function withoutControls(body: RequestBody, { controls = [] }: Pick<RequestOptions, "controls">): RequestBody {
  if (controls.length === 0) return body;
  const doomed = new Set<string>(controls);
  const bytes = bufferOf(body.bytes);
  const items = itemsOf(bytes, bytes.indexOf("{"));
  const metadata = doomed.has(tagsInMetadata) ? memberOf(items, "metadata") : undefined;
  const members = metadata === undefined ? [] : itemsOf(bytes, metadata.start);
  const isEmptied = metadata !== undefined && members.every(({ name }) => name === "tags");
  const splices = removeItems(items, ({ name }) => doomed.has(name) || (isEmptied && name === "metadata"));
  const inside = isEmptied ? [] : removeItems(members, ({ name }) => name === "tags");
  return createRequestBody(spliceBytes(bytes, [...splices, ...inside]));
}
