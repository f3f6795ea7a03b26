/** What `litellm_params` says about a Bedrock deployment. */

import type { ModelQuestion } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";
import { type Family, type Route, defaultClaudeRoute, familyOf, readModelName } from "./models.ts";

type Params = Readonly<Record<string, unknown>>;

/** Undefined for what is no text, or empty. */
export function param(params: Params, name: string): string | undefined {
  const value = params[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The texts of a list, or of a text with commas. */
export function listParam(params: Params, name: string): readonly string[] {
  const value = params[name];
  const items: readonly unknown[] = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  return items.flatMap((item) => (typeof item === "string" && item.trim() !== "" ? [item.trim()] : []));
}

export interface Asked {
  /** What the path names: `model_id` stands for the model where there is one. */
  readonly id: string;
  readonly family: Family;
  /** Whichever name says most of the model: an ARN may say nothing. */
  readonly knownAs: string;
  readonly region: string | undefined;
  readonly route: Route;
}

/** How and under which id a model is asked for. */
export function readAsked({ model, params, info }: Pick<ModelQuestion, "model" | "params"> & { readonly info?: Params }): Asked {
  const named = readModelName(model);
  // Prefixes that were taken off the model still stand here.
  const written = readModelName(param(params, "model") ?? "");
  const id = param(params, "model_id") ?? named.id;
  const names = [
    param(params, "base_model"),
    info === undefined ? undefined : param(info, "base_model"),
    model,
    param(params, "model"),
    id,
  ];
  const family = familyOf(...names);
  const knownAs = names.find((name) => name !== undefined && familyOf(name) === family) ?? id;
  return {
    id,
    family,
    knownAs,
    region: named.region ?? written.region ?? readModelName(id).region,
    route: named.route ?? written.route ?? (family === "claude" ? defaultClaudeRoute(id, knownAs) : "converse"),
  };
}

/** The same for a target, whose model has lost its prefixes. */
export function askedOf(target: Pick<Target, "model" | "params">): Asked {
  return readAsked({ model: target.model, params: target.params });
}
