/** The response itself, as the first events and the last one hold it: what was asked for, repeated, and what came of it. */

import { createHash } from "node:crypto";

import type { ReplyOptions } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";

export interface ResponseFields {
  /** Of the response; ids of its items are made of it. */
  readonly id: string;
  readonly createdAt: number;
  /** What was asked for, as the vendor's types want it repeated. */
  readonly echo: JsonObject;
}

export function responseFields({ received, id }: ReplyOptions): ResponseFields {
  const request = record(received.body.json()) ?? {};
  const short = /^[a-zA-Z0-9]{1,40}$/.test(id.replaceAll("-", ""))
    ? id.replaceAll("-", "")
    : createHash("sha256").update(id).digest("hex").slice(0, 32);
  return { id: short, createdAt: Math.floor(Date.now() / 1000), echo: echoOf(request) };
}

/** Fields that a response repeats, and what stands there where nothing was asked for. */
const repeated: readonly (readonly [name: string, standard: JsonObject[string]])[] = [
  ["background", false],
  ["instructions", null],
  ["max_output_tokens", null],
  ["max_tool_calls", null],
  ["metadata", {}],
  ["parallel_tool_calls", true],
  ["previous_response_id", null],
  ["prompt_cache_key", null],
  ["reasoning", { effort: null, summary: null }],
  ["safety_identifier", null],
  ["temperature", 1],
  ["text", { format: { type: "text" } }],
  ["tool_choice", "auto"],
  ["tools", []],
  ["top_logprobs", 0],
  ["top_p", 1],
  ["truncation", "disabled"],
  ["user", null],
];

function echoOf(request: JsonObject): JsonObject {
  const asked = repeated.map(([name, standard]) => [name, request[name] ?? standard]);
  return { ...Object.fromEntries(asked), service_tier: "default", store: false };
}
