/**
 * What models of Gemini differ in, told by their names: how thinking is asked for, and what later generations brought.
 * Levels: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thinking and …/models/guides/gemini-3-8-flash;
 * budgets: https://ai.google.dev/gemini-api/docs/thinking; Gemini 4: https://ai.google.dev/gemini-api/docs/generate-content/latest-model.
 */

import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation, Effort } from "../../sdk/hub/conversation.ts";

type Level = "MINIMAL" | "LOW" | "MEDIUM" | "HIGH";

type Thinking =
  | { readonly kind: "levels"; readonly levels: readonly Level[] }
  /** In tokens. */
  | { readonly kind: "budget"; readonly least: number; readonly most: number; readonly canStop: boolean };

export interface Family {
  readonly thinking: Thinking | undefined;
  /** Calls need signatures, results are matched by id and may hold media. From Gemini 3 on. */
  readonly isThird: boolean;
  /** Takes JSON Schema and public URLs. From Gemini 2.5 on. */
  readonly isModern: boolean;
  /** Sampling is ignored. From Gemini 4 on. */
  readonly ignoresSampling: boolean;
}

const someLevels: readonly Level[] = ["LOW", "MEDIUM", "HIGH"];
const allLevels: readonly Level[] = ["MINIMAL", ...someLevels];

/** A name that says no version is taken for a current model. */
export function familyOf(model: string): Family {
  if (/gemma|learnlm|palm|bison/.test(model)) return { thinking: undefined, isThird: false, isModern: false, ignoresSampling: false };
  const found = /gemini-(?<major>\d+)(?:\.(?<minor>\d+))?(?<rest>[a-z0-9.-]*)/.exec(model);
  const version = found === null ? 3.8 : Number(`${found.groups?.["major"]}.${found.groups?.["minor"] ?? 0}`);
  return {
    thinking: thinkingOf(version, found?.groups?.["rest"] ?? ""),
    isThird: version >= 3,
    isModern: version >= 2.5,
    ignoresSampling: version >= 4,
  };
}

function thinkingOf(version: number, rest: string): Thinking | undefined {
  if (version < 2.5 || rest.includes("image")) return undefined;
  if (version >= 3) {
    if (version < 3.1 && rest.includes("pro")) return { kind: "levels", levels: ["LOW", "HIGH"] };
    return { kind: "levels", levels: version < 3.2 && rest.includes("flash") ? allLevels : someLevels };
  }
  if (rest.includes("lite")) return { kind: "budget", least: 512, most: 24_576, canStop: true };
  if (rest.includes("flash")) return { kind: "budget", least: 1, most: 24_576, canStop: true };
  return { kind: "budget", least: 128, most: 32_768, canStop: false };
}

/** Undefined where nothing was said of thinking. Level and budget together are refused. */
export function thinkingConfig(conversation: Conversation, { thinking }: Family): JsonObject | undefined {
  const { effort } = conversation;
  if (thinking === undefined || effort === undefined) return undefined;
  const includeThoughts = effort === "none" ? {} : { includeThoughts: true };
  if (thinking.kind === "levels") return { thinkingLevel: levelOf(effort, thinking.levels), ...includeThoughts };
  if (effort === "none") return { thinkingBudget: thinking.canStop ? 0 : thinking.least };
  const wanted = conversation.thinkingBudget ?? budgets[effort];
  // Thoughts count towards the limit of the reply, and what they use up the answer lacks.
  const room = conversation.maxTokens === undefined ? wanted : conversation.maxTokens - 1024;
  return { thinkingBudget: Math.max(thinking.least, Math.min(wanted, room, thinking.most)), ...includeThoughts };
}

function levelOf(effort: Effort, levels: readonly Level[]): Level {
  const wanted = levelNames[effort];
  const ranked = allLevels.filter((level) => levels.includes(level));
  return ranked.find((level) => allLevels.indexOf(level) >= allLevels.indexOf(wanted)) ?? "HIGH";
}

const levelNames: Readonly<Record<Effort, Level>> = {
  none: "MINIMAL",
  minimal: "MINIMAL",
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH",
  xhigh: "HIGH",
  max: "HIGH",
};

/** What the vendor's own compatibility layer takes the efforts for, https://ai.google.dev/gemini-api/docs/openai. */
const budgets: Readonly<Record<Exclude<Effort, "none">, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};
