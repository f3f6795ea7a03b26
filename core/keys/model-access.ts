/** Which models a list of LiteLLM's names, wildcards and special words allows. */

import { createPattern } from "../routing/pattern.ts";

/** What somebody asks for. */
export interface ModelAsked {
  /** A group, as the configuration names it. */
  readonly name: string;
  /** Of all its deployments; undefined where they are of several. With it `anthropic/*` allows a group that is named `opus`. */
  readonly provider?: string | undefined;
  /** Access groups that it belongs to. */
  readonly accessGroups?: readonly string[] | undefined;
}

export const allModels = "all-proxy-models";
export const allOfTeam = "all-team-models";
/** Allows nothing, and makes that the list is not empty, which would allow all. */
export const noModels = "no-default-models";
const words: ReadonlySet<string> = new Set([allModels, allOfTeam, noModels]);

/** Whether a list allows everything. */
function allowsAll(models: readonly string[]): boolean {
  return models.length === 0 || models.includes(allModels) || models.includes("*");
}

/** @param ofTeam models of the team it belongs to, for `all-team-models`; undefined without a team, where these words allow nothing */
export function isModelAllowed(models: readonly string[], asked: ModelAsked, ofTeam?: readonly string[]): boolean {
  if (allowsAll(models)) return true;
  if (ofTeam !== undefined && models.includes(allOfTeam) && isModelAllowed(ofTeam, asked)) return true;
  return models.some((entry) => !words.has(entry) && allows(entry, asked));
}

function allows(entry: string, { name, provider, accessGroups = [] }: ModelAsked): boolean {
  if (!entry.includes("*")) return entry === name || accessGroups.includes(entry);
  const pattern = createPattern(entry);
  return pattern.match(name) !== undefined || (provider !== undefined && pattern.match(`${provider}/${name}`) !== undefined);
}

/**
 * Whether whatever the one list allows is allowed by the other, too.
 *
 * @param accessGroups names of all there are: a wildcard allows models, and no group of them that it happens to match
 */
export function coversModels(models: readonly string[], wanted: readonly string[], accessGroups: ReadonlySet<string>): boolean {
  if (allowsAll(models)) return true;
  if (allowsAll(wanted)) return false;
  return wanted.every((entry) => coversEntry(models, entry, accessGroups));
}

function coversEntry(models: readonly string[], entry: string, accessGroups: ReadonlySet<string>): boolean {
  if (entry === noModels || models.includes(entry)) return true;
  if (words.has(entry) || accessGroups.has(entry)) return false;
  // Only a star matches a star: what is put in its place is matched, too.
  return models.some((model) => model.includes("*") && createPattern(model).match(entry) !== undefined);
}
