/** What is known of how a model's input is counted, by its name. */

import type { Encoding } from "./count-plan.ts";
import { type ImageLimits, LARGE_IMAGES, STANDARD_IMAGES } from "./image-tokens.ts";

export interface ModelProfile {
  readonly encoding: Encoding;
  /** Around a conversation of one message. */
  readonly frameTokens: number;
  /** Each further message. */
  readonly messageTokens: number;
  /** The part of the frame that opens the answer; absent when the last message is the start of the answer. */
  readonly answerTokens: number;
  /** The hidden prompt that comes with tools, when the model is free to call one and when it must. */
  readonly toolPrompt: { readonly free: number; readonly forced: number };
  /** Around a tool's definition, call and result. */
  readonly toolFrame: { readonly definition: number; readonly call: number; readonly result: number };
  /** Added while thinking with a budget is on. */
  readonly thinkingTokens: number;
  /** Whether thinking of earlier turns stays before the model. */
  readonly keepsThinking: boolean;
  readonly images: ImageLimits;
}

const TOOL_FRAME = {
  // From `<function>{"description": …, "name": …, "parameters": …}</function>`.
  older: { definition: 17, call: 28, result: 12 },
  newer: { definition: 20, call: 34, result: 12 },
} as const;

/** Models of other makers, and what is not a model at all. */
const PLAIN: ModelProfile = {
  encoding: "plain",
  frameTokens: 7,
  messageTokens: 4,
  answerTokens: 3,
  toolPrompt: { free: 0, forced: 0 },
  toolFrame: { definition: 12, call: 10, result: 6 },
  thinkingTokens: 0,
  keepsThinking: true,
  images: STANDARD_IMAGES,
};

/** Tokens of the hidden tool prompt, from Anthropic's page on tool use; the first version not above the model's counts. */
const TOOL_PROMPTS: readonly (readonly [family: string, version: number, free: number, forced: number])[] = [
  ["opus", 5, 286, 406],
  ["opus", 4.8, 290, 410],
  ["opus", 4.7, 675, 804],
  ["opus", 4.6, 497, 589],
  ["opus", 4.5, 496, 588],
  ["opus", 4, 313, 315],
  ["opus", 0, 530, 281],
  ["sonnet", 5, 354, 474],
  ["sonnet", 4.6, 497, 589],
  ["sonnet", 4.5, 496, 588],
  ["sonnet", 4, 313, 315],
  ["sonnet", 3.5, 346, 313],
  ["sonnet", 0, 159, 235],
  ["haiku", 5, 354, 474],
  ["haiku", 4.5, 496, 588],
  ["haiku", 3.5, 264, 355],
  ["haiku", 0, 264, 340],
  // Not on the page: taken as the newest that is.
  ["", 0, 286, 406],
];

const NEWER_TOKENIZER = 4.7;

/** @param model as the request names it, with any prefix or suffix of a host; empty when it names none */
export function modelProfile(model: string): ModelProfile {
  const named = /claude-(?:(?<number>[\d.-]+)-)?(?<family>[a-z]+)(?:-(?<version>\d+(?:[.-]\d{1,2}(?!\d))?))?/.exec(model.toLowerCase());
  if (named === null) return PLAIN;
  const family = named.groups?.["family"] ?? "";
  const version = toVersion(named.groups?.["number"] ?? named.groups?.["version"]);
  const isNewer = version >= NEWER_TOKENIZER;
  const [, , free, forced] = TOOL_PROMPTS.find(([of, from]) => (of === family || of === "") && version >= from) ?? ["", 0, 0, 0];
  return {
    encoding: isNewer ? "newer" : "older",
    frameTokens: !isNewer ? 7 : version < 4.8 ? 11 : 6,
    messageTokens: 4.5,
    answerTokens: 5.5,
    toolPrompt: { free, forced },
    toolFrame: isNewer ? TOOL_FRAME.newer : TOOL_FRAME.older,
    thinkingTokens: isNewer ? 0 : 26,
    keepsThinking: isNewer || (family === "opus" && version >= 4.5) || (family === "sonnet" && version >= 4.6),
    images: isNewer ? LARGE_IMAGES : STANDARD_IMAGES,
  };
}

/** `4-5` is 4.5; a model without a number, or with a date for one, is the newest of its family. */
function toVersion(text: string | undefined): number {
  const [major, minor] = (text ?? "").split(/[.-]/).map(Number);
  if (major === undefined || !Number.isFinite(major) || major === 0 || major > 99) return 99;
  return major + (minor === undefined || !Number.isFinite(minor) ? 0 : minor / 10);
}
