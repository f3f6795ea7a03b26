/** `ccproxy check`: everything that is wrong with the configuration, and where each model goes. */

import { randomBytes } from "node:crypto";

import { formatFaults } from "../../core/config/format.ts";
import { loadConfig } from "../../core/config/load.ts";
import { createRegistry } from "../../core/registry.ts";
import { type BuiltSnapshot, buildSnapshot } from "../../core/snapshot.ts";
import { createUserCodeRuntime } from "../../core/user-code-runtime.ts";
import { describeUnits } from "../../core/user-code-status.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import { existingConfigDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { painter, shortPath, table } from "../display.ts";
import { warnOfOpenFiles } from "../permissions.ts";
import { routeTable } from "../route-table.ts";
import { silentLogger } from "../silent-logger.ts";
import { userCodeTable } from "../user-code-table.ts";

const check: Command<CommonOptions> = async (context, options) => {
  const directory = await existingConfigDirectory(context, options);
  await warnOfOpenFiles(directory, context.stderr);
  const loaded = await loadConfig({ directory, environment: context.env });
  const registry = createRegistry(builtinPlugins);
  // Code of the user's is loaded for good, in a sandbox of its own: what it throws then shows here.
  const userCode = createUserCodeRuntime({ registry, environment: context.env, logger: silentLogger, installSecret: passing });
  try {
    const built = await buildSnapshot(loaded, { registry, ...userCode }, 1, new Date());
    return report(context, directory, built);
  } finally {
    await userCode.close();
  }
};
export default check;

function report({ stdout }: CliContext, directory: string, { snapshot, faults }: BuiltSnapshot): number {
  const paint = painter(stdout);
  if (faults.length > 0) stdout.write(`${formatFaults(faults).trimEnd()}\n\n`);
  if (snapshot === undefined) {
    const errors = faults.filter(({ severity }) => severity === "error").length;
    stdout.write(
      `${paint("red", `${errors} error${errors === 1 ? "" : "s"}`)} in ${shortPath(directory)}: this configuration is not taken into use\n`,
    );
    return 1;
  }
  const { rules, routes, config, ignored, userProgram } = snapshot;
  stdout.write(`${paint("bold", "Rules")}${rules.length === 0 ? ": none\n" : ", the first that matches gives the label\n"}`);
  stdout.write(
    table(
      rules.map(({ label, reference, summary }) => [paint("cyan", label), reference, paint("dim", summary)]),
      "  ",
    ),
  );
  stdout.write(userCodeTable({ units: describeUnits(userProgram), ignored }, paint));
  stdout.write(`\n${paint("bold", "Models")}\n${routeTable(routes.describe(), paint)}`);
  stdout.write(`\n${paint("green", "OK")}: ${config.files.map(shortPath).join(", ")}\n`);
  return 0;
}

/** Nothing is written for a look. */
const passing = async (): Promise<string> => randomBytes(32).toString("hex");
