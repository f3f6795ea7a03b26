/** The variables that `env:NAME` grants to files of user code: where their values come from, and what never stands in a log. */

import { namedVariable, type Environment } from "../config/environment.ts";
import type { Grant } from "../config/types.ts";

/** @returns the value of a variable; undefined when it is not set or blank */
export type ReadVariable = (name: string) => string | undefined;

/** @param configured `environment_variables` of the configuration: asked first, the real environment has had its say in it */
export function variableReader(configured: ReadonlyMap<string, string>, environment: Environment): ReadVariable {
  return (name) => configured.get(name) ?? namedVariable(environment, name);
}

/** The values that these grants open. User code may see them, a log may not: whoever reads it was granted nothing. */
export function grantedValues(grants: readonly Grant[], read: ReadVariable): readonly string[] {
  const values = grants.flatMap((grant) => (grant.type === "env" ? [read(grant.name)] : []));
  return [...new Set(values)].filter((value) => value !== undefined);
}
