/** `os.environ/NAME` references and the `environment_variables` section, with LiteLLM's meaning. */

import { namedVariable, type Environment } from "./environment.ts";
import { describeValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { isMapping, keyOf, valueAt, within, type Path, type Place, type Tree } from "./tree.ts";

const prefix = "os.environ/";

export interface Variables {
  /** `environment_variables`, resolved; a variable of the real environment wins. */
  readonly configured: ReadonlyMap<string, string>;
  /** Undefined when unset. */
  get(name: string): string | undefined;
}

/** One reference that was looked up. */
export interface Reference {
  readonly path: Path;
  readonly name: string;
  /** Undefined when the variable is unset; the value became null then. */
  readonly value: string | undefined;
}

export interface Resolved {
  readonly tree: Tree;
  readonly references: readonly Reference[];
}

/** Reads the `environment_variables` section. The environment of the process is never changed. */
export function readVariables(tree: Tree, environment: Environment, report: Report): Variables {
  const configured = new Map<string, string>();
  const variables: Variables = { configured, get: (name) => configured.get(name) ?? namedVariable(environment, name) };
  const place: Place = { tree, path: ["environment_variables"] };
  const section = valueAt(tree.value, place.path);
  if (section == null) return variables;
  if (!isMapping(section)) {
    report.error(place, `is ${describeValue(section)}; wanted a mapping of names to values.`);
    return variables;
  }
  // In the order written: a later one may refer to an earlier one.
  for (const [name, written] of Object.entries(section)) {
    const real = namedVariable(environment, name);
    const value = real ?? configuredValue(written, within(place, name), variables, report);
    if (value !== undefined) configured.set(name, value);
  }
  return variables;
}

/**
 * Replaces every reference in mappings and in mappings inside lists; a text directly inside a list stays, as in LiteLLM,
 * unless it is a list of keys.
 * An unset variable becomes null. Reporting that is left to the caller, who knows what it means at that place.
 */
export function resolveReferences(tree: Tree, variables: Variables): Resolved {
  const references: Reference[] = [];
  const visit = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) {
      const isOfKeys = isListOfKeys(path);
      return value.map((item, index) => (typeof item === "string" && !isOfKeys ? item : visit(item, [...path, index])));
    }
    if (isMapping(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]));
    const name = referencedName(value);
    if (name === undefined) return value;
    const found = variables.get(name);
    references.push({ path, name, value: found });
    return found === undefined ? null : readFlag(found);
  };
  return { tree: { ...tree, value: visit(tree.value, []) }, references };
}

/** Of a deployment; each item is as good as a key of its own. */
export function isListOfKeys(path: Path): boolean {
  const [section, , params, key] = path;
  return path.length === 4 && section === "model_list" && params === "litellm_params" && listsOfKeys.has(String(key));
}

const listsOfKeys: ReadonlySet<string> = new Set(["api_key", "api_keys", "organization"]);

/** The variable a value refers to, if it is a reference. */
function referencedName(value: unknown): string | undefined {
  return typeof value === "string" && value.startsWith(prefix) ? value.slice(prefix.length) : undefined;
}

// LiteLLM turns these two words into booleans, wherever they come from the environment.
function readFlag(value: string): string | boolean {
  const word = value.trim().toLowerCase();
  return word === "true" ? true : word === "false" ? false : value;
}

function configuredValue(written: unknown, place: Place, variables: Variables, report: Report): string | undefined {
  if (written === null) return undefined;
  const name = referencedName(written);
  if (name !== undefined) {
    const value = variables.get(name);
    if (value === undefined) report.warning(place, "refers to a variable that is not set; this one stays unset.");
    return value;
  }
  if (typeof written !== "string" && typeof written !== "number" && typeof written !== "boolean") {
    report.error(place, `is ${describeValue(written)}; wanted a text. Put one value on the line of its name.`);
    return undefined;
  }
  const key = place.path.at(-1);
  if (key === "" || String(key).includes("=")) report.error(keyOf(place), "is not a name that a variable can have.");
  return String(written);
}
