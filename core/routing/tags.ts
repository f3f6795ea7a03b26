/** Keeps the deployments that a request with these tags may be sent to, as LiteLLM's `enable_tag_filtering` does. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Deployment } from "./deployment.ts";

/** The tag of those that requests go to which have no tags, or none that any deployment has. */
const usualTag = "default";

/**
 * `!tag` excludes what has the tag, `&tag` keeps only what has it; of the others one has to match, or all.
 *
 * @returns those that are left; empty where none is allowed
 */
export function filterByTags(deployments: readonly Deployment[], requested: readonly string[], matchAny: boolean): readonly Deployment[] {
  const { wanted, required, excluded } = sort(requested);
  const allowed = deployments.filter(
    ({ routing: { tags } }) => required.every((tag) => tags.includes(tag)) && !excluded.some((tag) => tags.includes(tag)),
  );
  if (wanted.length > 0) {
    const matches = matchAny ? wanted.some.bind(wanted) : wanted.every.bind(wanted);
    const matching = allowed.filter(({ routing: { tags } }) => matches((tag) => tags.includes(tag)));
    return matching.length > 0 ? matching : allowed.filter(isUsual);
  }
  if (required.length > 0) return allowed;
  // Whether there are usual ones does not depend on what the request excludes.
  return deployments.some(isUsual) ? allowed.filter(isUsual) : allowed;
}

function isUsual({ routing: { tags } }: Deployment): boolean {
  return tags.includes(usualTag);
}

function sort(tags: readonly string[]): Record<"wanted" | "required" | "excluded", readonly string[]> {
  const marked = (mark: string): readonly string[] => tags.filter((tag) => tag.startsWith(mark) && tag !== mark).map((tag) => tag.slice(1));
  return { wanted: tags.filter((tag) => !/^[!&]/.test(tag)), required: marked("&"), excluded: marked("!") };
}

/** In LiteLLM's words, with its status. */
export function tagError(group: string, tags: readonly string[]): ProxyError {
  const shown = tags.map((tag) => `'${tag}'`).join(", ");
  const message = `Not allowed to access model due to tags configuration. Passed model=${group} and tags=[${shown}]`;
  return new ProxyError(message, { status: 401, kind: "authentication_error" });
}
