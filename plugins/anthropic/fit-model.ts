/**
 * A request that was written for another model: fields that this model answers with an error are put otherwise. Which
 * generation takes what is documented at platform.claude.com: models overview, adaptive thinking, effort, migration
 * guides, mid-conversation system messages.
 */

import type { Json, RequestBody } from "../../sdk/body.ts";
import { bodyOf } from "../../sdk/hub/byte-body.ts";
import { forForeignHost } from "../../sdk/hub/foreign-messages.ts";
import { bufferOf, itemsOf, removeItems, spliceBytes } from "../../sdk/hub/json-bytes.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { supportsMidSystem } from "../../sdk/hub/mid-system.ts";
import type { Note, Target } from "../../sdk/wire.ts";

/** What a generation takes; undefined for a model that is none of the vendor's. */
interface Generation {
  readonly adaptive: boolean;
  /** `thinking` with a budget. */
  readonly budget: boolean;
  readonly alwaysThinks: boolean;
  readonly effort: "none" | "up to high" | "all";
  readonly sampling: boolean;
  readonly forcedTools: boolean;
}

const newest = { adaptive: true, budget: false, effort: "all", sampling: false } as const;

/** The first match counts. */
const generations: readonly (readonly [id: RegExp, takes: Generation])[] = [
  [/^claude-(?:fable|mythos)-5-[1-9]/, { ...newest, alwaysThinks: true, forcedTools: false }],
  [/^claude-(?:fable|mythos)-/, { ...newest, alwaysThinks: true, forcedTools: true }],
  [/^claude-opus-5-5/, { ...newest, alwaysThinks: true, forcedTools: false }],
  [/^claude-(?:sonnet|haiku)-5-5/, { ...newest, alwaysThinks: false, forcedTools: false }],
  [/^claude-(?:opus-(?:4-[78]|5)|sonnet-5|haiku-5)/, { ...newest, alwaysThinks: false, forcedTools: true }],
  [
    /^claude-(?:opus|sonnet)-4-6/,
    { adaptive: true, budget: true, alwaysThinks: false, effort: "up to high", sampling: true, forcedTools: true },
  ],
  [/^claude-opus-4-5/, { adaptive: false, budget: true, alwaysThinks: false, effort: "up to high", sampling: true, forcedTools: true }],
  [
    /^claude-(?:3-7|(?:opus|sonnet|haiku)-4)/,
    { adaptive: false, budget: true, alwaysThinks: false, effort: "none", sampling: true, forcedTools: true },
  ],
  [/^claude-3/, { adaptive: false, budget: false, alwaysThinks: false, effort: "none", sampling: true, forcedTools: true }],
];

const samplingFields = ["temperature", "top_p", "top_k"];

/** @returns the same body where nothing has to change */
export function fitModel(body: RequestBody, target: Target, note: Note): RequestBody {
  const takes = generations.find(([id]) => id.test(plainId(target.model)))?.[1];
  if (takes === undefined) return body;
  const changes = new Map<string, Json | undefined>();
  fitThinking(body, takes, changes);
  fitEffort(body, takes, changes);
  if (!takes.sampling) for (const field of samplingFields) if (body.field(field) !== undefined) changes.set(field, undefined);
  const choice = text(record(body.value("tool_choice"))?.["type"]);
  if (!takes.forcedTools && (choice === "any" || choice === "tool")) changes.set("tool_choice", { type: "auto" });
  const limit = target.modelFacts.maxOutputTokens;
  const asked = body.value("max_tokens");
  if (limit !== undefined && typeof asked === "number" && asked > limit) changes.set("max_tokens", limit);
  if (changes.size > 0) note("put otherwise: this model refuses it", { fields: [...changes.keys()] });
  const fitted = change(body, changes);
  return supportsMidSystem(target.model) ? fitted : forForeignHost(fitted, { keepBilling: true, midSystem: false }, note);
}

/** Clouds put the vendor's name, or a region, before it. */
function plainId(model: string): string {
  return model.slice(Math.max(0, model.indexOf("claude-")));
}

function fitThinking(body: RequestBody, takes: Generation, changes: Map<string, Json | undefined>): void {
  const type = text(record(body.value("thinking"))?.["type"]);
  const isRefused =
    ((type === "adaptive" || type === "between_tools") && !takes.adaptive) ||
    (type === "enabled" && !takes.budget) ||
    (type === "disabled" && takes.alwaysThinks);
  if (!isRefused) return;
  // What was meant is to think: where the model decides by itself, it is told so, else it answers at once.
  changes.set("thinking", takes.adaptive && type !== "disabled" ? { type: "adaptive" } : undefined);
  // Its edits of thinking are refused where there is none.
  if (!takes.adaptive && body.field("context_management") !== undefined) changes.set("context_management", undefined);
}

function fitEffort(body: RequestBody, takes: Generation, changes: Map<string, Json | undefined>): void {
  const config = record(body.value("output_config"));
  const effort = text(config?.["effort"]);
  if (config === undefined || effort === undefined || takes.effort === "all") return;
  const { effort: _, ...rest } = config;
  if (takes.effort === "none") changes.set("output_config", Object.keys(rest).length === 0 ? undefined : rest);
  else if (effort === "xhigh" || effort === "max") changes.set("output_config", { ...config, effort: "high" });
}

/** Undefined takes a field out. */
function change(body: RequestBody, changes: ReadonlyMap<string, Json | undefined>): RequestBody {
  if (changes.size === 0) return body;
  const set = [...changes].flatMap(([field, value]) => (value === undefined ? [] : [{ field, value }]));
  const edited = set.length === 0 ? body : body.edit(set);
  const bytes = bufferOf(edited.bytes);
  const doomed = removeItems(itemsOf(bytes, bytes.indexOf("{")), ({ name }) => changes.has(name) && changes.get(name) === undefined);
  return doomed.length === 0 ? edited : bodyOf(spliceBytes(bytes, doomed));
}
