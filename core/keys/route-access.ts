/** Which paths a key may be used for, under LiteLLM's names for groups of them. */

import { createPattern } from "../routing/pattern.ts";

const llmPaths =
  "messages messages/count_tokens messages/batches messages/batches/* chat/completions completions embeddings responses responses/* " +
  "moderations images/* audio/* rerank models models/* batches batches/* files files/* fine_tuning/* realtime videos videos/*";
/** Claude Code asks its vendor, with its own login, how that stands. */
const nativePaths =
  "/api/oauth/usage /v1beta/models /v1beta/models/* /engines/* /openai/* /anthropic/* /azure/* /bedrock/* /vertex_ai/* /gemini/*";
const managedAreas = "key user team customer end_user organization project budget tag spend global model";
const modelInfo = "/model/info /v1/model/info /v2/model/info /model_group/info";

/** Paths of each group; a star stands for anything, slashes included. */
export const routeGroups: ReadonlyMap<string, readonly string[]> = new Map([
  ["llm_api_routes", [...words(llmPaths).flatMap((path) => [`/v1/${path}`, `/${path}`]), ...words(nativePaths)]],
  ["management_routes", [...words(managedAreas).map((area) => `/${area}/*`), ...words(modelInfo)]],
  ["info_routes", words(`/key/info /user/info /team/info /team/list /budget/info /health /health/* ${modelInfo}`)],
]);

function words(text: string): readonly string[] {
  return text.split(" ");
}

const usualRoutes = ["llm_api_routes"];

/** Whether a text is the name of a group, or a path with or without stars. */
export function isRouteEntry(text: string): boolean {
  return routeGroups.has(text) || text === "*" || (text.startsWith("/") && isPlain(text));
}

/**
 * @param routes groups, and paths with or without stars; none: all of the LLM routes
 * @param path without the query, as it was received
 */
export function isRouteAllowed(routes: readonly string[], path: string): boolean {
  // What another part of the proxy might take for another path is allowed to nobody.
  return isPlain(path) && patternsOf(routes).some((pattern) => fits(pattern, path));
}

/** Whether whatever the one list allows is allowed by the other, too. */
export function coversRoutes(routes: readonly string[], wanted: readonly string[]): boolean {
  const patterns = patternsOf(routes);
  // Only a star matches a star: what is put in its place is matched, too.
  return patternsOf(wanted).every((text) => patterns.some((pattern) => fits(pattern, text)));
}

function fits(pattern: string, text: string): boolean {
  return pattern === text || (pattern.includes("*") && createPattern(pattern).match(text) !== undefined);
}

function patternsOf(routes: readonly string[]): readonly string[] {
  return (routes.length === 0 ? usualRoutes : routes).flatMap((route) => routeGroups.get(route) ?? (isRouteEntry(route) ? [route] : []));
}

/** Without dots, slashes or zeros in disguise. */
function isPlain(path: string): boolean {
  return !/\/\/|\/\.{1,2}(\/|$)|%(2f|5c|2e|00|25)|[\\\0?#\s]/i.test(path);
}
