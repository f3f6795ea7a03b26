/** The one place of the core that reads the environment of the process; everything else is given what it needs. */

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of our own variables begin with this; HOST, PORT, DEBUG and the like are never looked at. */
const ownPrefix = "CCPROXY_";

/** A copy of the environment of the process, so that what one load sees cannot change under it. */
export function readEnvironment(): Environment {
  return Object.freeze({ ...process.env });
}

/** One of ccproxy's own variables, e.g. `CONFIG_DIR` for `CCPROXY_CONFIG_DIR`. Blank counts as unset. */
export function ownVariable(environment: Environment, name: "CONFIG_DIR"): string | undefined {
  return namedVariable(environment, `${ownPrefix}${name}`);
}

/** A variable that the configuration names, e.g. by `os.environ/NAME`. Blank counts as unset. */
export function namedVariable(environment: Environment, name: string): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return value === undefined || value.trim() === "" ? undefined : value;
}
