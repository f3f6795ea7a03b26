/**
 * What the families of models take, where that differs. Efforts as the pages of the models name them:
 * https://developers.openai.com/api/docs/models/gpt-5.6, …/gpt-5.5, …/gpt-5.4-pro, …/gpt-5.2, …/gpt-5.1, …/gpt-5-pro, …/gpt-5,
 * …/gpt-5.3-codex, …/o3 and https://developers.openai.com/api/docs/guides/latest-model; an effort that a model does not
 * take is refused ("Unsupported value: 'none' is not supported with the 'gpt-5.1-codex' model").
 */

import type { Effort } from "../../sdk/hub/conversation.ts";
import type { Target } from "../../sdk/wire.ts";

export interface Family {
  /** Whether the model reasons, so that it is asked how hard and takes its reasoning back. */
  readonly reasons: boolean;
  /** Efforts it takes, the lowest first; empty: it decides for itself. */
  readonly efforts: readonly Effort[];
  /** Knows the role `developer`, wherever it stands, and gives summaries of its reasoning. */
  readonly isVendors: boolean;
  /** Tells comments between calls from the final answer, and wants to be told. */
  readonly hasPhases: boolean;
}

interface Row {
  readonly pattern: RegExp;
  /** Undefined: it does not reason. */
  readonly efforts: readonly Effort[] | undefined;
}

const threeEfforts: readonly Effort[] = ["low", "medium", "high"];
const fourEfforts: readonly Effort[] = [...threeEfforts, "xhigh"];

/** The first one that matches counts. */
const rows: readonly Row[] = [
  { pattern: /^gpt-6-astra/, efforts: [...fourEfforts, "max"] },
  { pattern: /^gpt-6-(?:sol|luna)/, efforts: ["none", ...fourEfforts, "max"] },
  { pattern: /^gpt-[6-9]/, efforts: fourEfforts },
  { pattern: /^gpt-5\.6/, efforts: ["none", ...fourEfforts, "max"] },
  { pattern: /^gpt-5-pro/, efforts: ["high"] },
  { pattern: /^gpt-5\.\d+-pro/, efforts: ["medium", "high", "xhigh"] },
  { pattern: /^gpt-5-chat/, efforts: undefined },
  { pattern: /^gpt-5\.\d+-chat/, efforts: ["medium"] },
  { pattern: /^gpt-5\.1-codex-max|^gpt-5\.[2-9]-codex/, efforts: fourEfforts },
  { pattern: /^gpt-5(?:\.1)?-codex/, efforts: threeEfforts },
  { pattern: /^gpt-5\.1/, efforts: ["none", ...threeEfforts] },
  { pattern: /^gpt-5\.\d/, efforts: ["none", ...fourEfforts] },
  { pattern: /^gpt-5/, efforts: ["minimal", ...threeEfforts] },
  { pattern: /^o\d.*-deep-research/, efforts: ["medium"] },
  { pattern: /^gpt-oss|^o\d|^codex-/, efforts: threeEfforts },
  { pattern: /^(?:gpt-[34]|chatgpt-)/, efforts: undefined },
  // xAI: those before refuse to be asked, and reason all the same.
  { pattern: /^grok-4\.[7-9]/, efforts: fourEfforts },
  { pattern: /^grok-[45]/, efforts: [] },
];

const vendors = /^(?:gpt-(?!oss)|o\d|codex-|chatgpt-)/;
const phased = /^gpt-(?:5\.3-codex|5\.[4-9]|[6-9])/;

/** @returns what holds for a model nobody knows, where the name says nothing */
export function familyOf({ model, params, modelFacts }: Target): Family {
  // A deployment may be called anything; whoever named it may have said what it is.
  const base = params["base_model"];
  const full = typeof base === "string" && base !== "" ? base : model;
  const name = full.slice(full.lastIndexOf("/") + 1).toLowerCase();
  const row = rows.find(({ pattern }) => pattern.test(name));
  const reasons = modelFacts.reasoning ?? row?.efforts !== undefined;
  return {
    reasons: row === undefined ? modelFacts.reasoning === true : reasons,
    efforts: row?.efforts ?? threeEfforts,
    isVendors: vendors.test(name),
    hasPhases: phased.test(name),
  };
}

const order: readonly Effort[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/** The highest effort that is no more than what is wanted; else the lowest one. Undefined where none can be asked for. */
export function nearestEffort(wanted: Effort, efforts: readonly Effort[]): Effort | undefined {
  if (efforts.includes(wanted)) return wanted;
  const thinking = efforts.filter((effort) => effort !== "none");
  return thinking.findLast((effort) => order.indexOf(effort) < order.indexOf(wanted)) ?? thinking[0];
}
