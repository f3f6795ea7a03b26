/** `ccproxy check`: everything that is wrong with the configuration, and where each model goes. */

import { formatFaults } from "../../core/config/format.ts";
import { loadConfig } from "../../core/config/load.ts";
import { createRegistry } from "../../core/registry.ts";
import { buildSnapshot } from "../../core/snapshot.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import { existingConfigDirectory } from "../config-directory.ts";
import type { Command, CommonOptions } from "../context.ts";
import { painter, shortPath, table } from "../display.ts";
import { warnOfOpenFiles } from "../permissions.ts";
import { routeTable } from "../route-table.ts";

const check: Command<CommonOptions> = async (context, options) => {
  const directory = await existingConfigDirectory(context, options);
  await warnOfOpenFiles(directory, context.stderr);
  const loaded = await loadConfig({ directory, environment: context.env });
  const { snapshot, faults } = buildSnapshot(loaded, createRegistry(builtinPlugins), 1, new Date());
  const { stdout } = context;
  const paint = painter(stdout);
  if (faults.length > 0) stdout.write(`${formatFaults(faults).trimEnd()}\n\n`);
  if (snapshot === undefined) {
    const errors = faults.filter(({ severity }) => severity === "error").length;
    stdout.write(
      `${paint("red", `${errors} error${errors === 1 ? "" : "s"}`)} in ${shortPath(directory)}: this configuration is not taken into use\n`,
    );
    return 1;
  }
  const { rules, routes, config } = snapshot;
  stdout.write(`${paint("bold", "Rules")}${rules.length === 0 ? ": none\n" : ", the first that matches gives the label\n"}`);
  stdout.write(
    table(
      rules.map(({ label, reference, summary }) => [paint("cyan", label), reference, paint("dim", summary)]),
      "  ",
    ),
  );
  stdout.write(`\n${paint("bold", "Models")}\n${routeTable(routes.describe(), paint)}`);
  stdout.write(`\n${paint("green", "OK")}: ${config.files.map(shortPath).join(", ")}\n`);
  return 0;
};
export default check;
