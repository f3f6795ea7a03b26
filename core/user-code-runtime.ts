/** From the files of the user to a program in the sandbox: bundles, loads, and keeps what lives as long as the process. */

import { fileURLToPath } from "node:url";

import type { Logger } from "../sdk/log.ts";
import { grantedValues, variableReader } from "./capabilities/env-grants.ts";
import { derivePseudonymKey, readOrCreateInstallSecret } from "./capabilities/pseudonym-key.ts";
import type { Environment } from "./config/environment.ts";
import type { Fault } from "./config/types.ts";
import type { MapError } from "./phases/failure-log.ts";
import { loadProgram } from "./phases/load-program.ts";
import type { Registry } from "./registry.ts";
import { createSandbox } from "./sandbox/create-sandbox.ts";
import type { Sandbox, SandboxStatus } from "./sandbox/sandbox.ts";
import { readHostProgram } from "./sandbox-program.ts";
import type { LoadUserProgram } from "./snapshot.ts";
import { loadUserCode } from "./user-code/load.ts";
import { mapUnitError } from "./user-code/source-map.ts";

/** Shipped as sources, beside the sources and above the build. */
const readyMadeDirectory = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../hooks" : "../../hooks", import.meta.url));

export interface UserCodeRuntimeInit {
  readonly registry: Registry;
  readonly environment: Environment;
  readonly logger: Logger;
  /** Default: that of the installation, made when there is none. */
  readonly installSecret?: (directory: string) => Promise<string>;
}

export interface UserCodeRuntime {
  readonly loadUserProgram: LoadUserProgram;
  readonly mapError: MapError;
  /** Values that grants have opened to user code; a log must not show them. */
  readonly secrets: ReadonlySet<string>;
  /** Null as long as there was nothing to run. */
  status(): SandboxStatus | null;
  close(): Promise<void>;
}

const mapError: MapError = ({ source }, error) => mapUnitError(source, error);

/** Starts nothing until a configuration has user code. */
export function createUserCodeRuntime(init: UserCodeRuntimeInit): UserCodeRuntime {
  const { registry, environment, logger, installSecret = readOrCreateInstallSecret } = init;
  const secrets = new Set<string>();
  let sandbox: Sandbox | undefined;
  return {
    async loadUserProgram({ directory, rules, hooks, callbacks, autoload, environmentVariables }) {
      const registryRuleNames = new Set(registry.rules.keys());
      const code = await loadUserCode({ directory, rules, hooks, callbacks, autoload, registryRuleNames, readyMadeDirectory });
      const variable = variableReader(environmentVariables, environment);
      for (const { options } of code.units) for (const value of grantedValues(options.grants, variable)) secrets.add(value);
      let secret = "";
      try {
        if (code.units.length > 0) secret = await installSecret(directory);
      } catch (error) {
        const message = `rules and hooks of your own cannot be run: ${error instanceof Error ? error.message : String(error)}`;
        const fault: Fault = { severity: "error", file: directory, message };
        return { program: undefined, ignored: code.ignored, faults: [...code.faults, fault], files: code.files };
      }
      const built = await loadProgram(code, {
        sandbox: () => (sandbox ??= createSandbox({ logger, hostProgram: readHostProgram })),
        mapError,
        pseudonymKey: (file) => derivePseudonymKey(secret, file),
        variable,
      });
      return { ...built, files: code.files };
    },
    mapError,
    secrets,
    status: () => sandbox?.status() ?? null,
    close: async () => sandbox?.close(),
  };
}
