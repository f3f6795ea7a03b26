/**
 * Where a project's models are served: hosts by location, and what of both is configured. Written from
 * https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations.
 */

import type { ModelQuestion, Variables } from "../../sdk/provider.ts";
import { vertexModel } from "./models.ts";

type Params = Readonly<Record<string, unknown>>;

/** Stands in an address for the project that the credentials will name. */
export const unknownProject = "_";

/** @throws Error for what is no name of a location: it becomes part of a host */
export function hostOf(location: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(location))
    throw new Error(`vertex_location "${location}" is no location of Google Cloud, e.g. us-east5 or global`);
  if (location === "global") return "aiplatform.googleapis.com";
  if (location === "us" || location === "eu") return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}

/** Exact hosts: a look-alike never gets a token. */
export function isGoogleHost(host: string): boolean {
  return /^(?:[a-z][a-z0-9-]*-)?aiplatform\.googleapis\.com$/.test(host) || /^aiplatform\.(?:us|eu)\.rep\.googleapis\.com$/.test(host);
}

export function projectOf(params: Params, variables: Variables): string | undefined {
  return (
    textOf(params["vertex_project"] ?? params["vertex_ai_project"]) ??
    first(variables, ["VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT", "DEFAULT_VERTEXAI_PROJECT"])
  );
}

export function locationOf(params: Params, model: string, variables: Variables): string {
  return (
    textOf(params["vertex_location"] ?? params["vertex_ai_location"]) ??
    first(variables, ["VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION", "DEFAULT_VERTEXAI_LOCATION"]) ??
    // Models of today are served there, and many nowhere else.
    (vertexModel(model).dialect === "openai-chat" ? "us-central1" : "global")
  );
}

/** The base of a deployment that names none: down to the location. */
export function defaultBase({ model, params }: ModelQuestion, variables: Variables): string {
  const { version } = vertexModel(model);
  const project = projectOf(params, variables);
  // A key of its own and no project: the API's express mode, which has neither project nor location.
  if (project === undefined && textOf(params["api_key"]) !== undefined) return `https://${hostOf("global")}/${version}`;
  const location = locationOf(params, model, variables);
  return `https://${hostOf(location)}/${version}/projects/${checkedProject(project ?? unknownProject)}/locations/${location}`;
}

/** @throws Error for what cannot be a project: it becomes part of an address */
export function checkedProject(project: string): string {
  if (/^[a-z0-9_][a-z0-9_:.-]*$/i.test(project)) return project;
  throw new Error(`vertex_project "${project}" is no id or number of a project of Google Cloud`);
}

export function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function first(variables: Variables, names: readonly string[]): string | undefined {
  return names.map((name) => variables(name)).find((value) => value !== undefined && value !== "");
}
