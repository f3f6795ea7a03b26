/** Which variables the configuration may look at: our own by their prefix, and those it names. Nothing else is ever read. */

/** Variables by name: the environment of the process as `main` hands it down. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of our own variables begin with this; HOST, PORT, DEBUG and the like are never looked at. */
const ownPrefix = "CCPROXY_";

/** One of ccproxy's own variables, e.g. `CONFIG_DIR` for `CCPROXY_CONFIG_DIR`. Blank counts as unset. */
export function ownVariable(environment: Environment, name: "CONFIG_DIR"): string | undefined {
  return namedVariable(environment, `${ownPrefix}${name}`);
}

/** A variable that the configuration names, e.g. by `os.environ/NAME`. Blank counts as unset. */
export function namedVariable(environment: Environment, name: string): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return value === undefined || value.trim() === "" ? undefined : value;
}
