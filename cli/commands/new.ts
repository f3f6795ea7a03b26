/** `ccproxy new`: writes a rule or a hook to start from, and its test. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createPrivateFile, makePrivateDirectory } from "../../core/private-file.ts";
import { existingConfigDirectory } from "../config-directory.ts";
import type { Command, CommonOptions } from "../context.ts";
import { painter, shortPath, table } from "../display.ts";
import { writeEditorTypes } from "../editor-types.ts";
import { CliFailure } from "../failure.ts";
import { hookStarter, ruleStarter } from "../starters.ts";

interface NewOptions extends CommonOptions {
  readonly kind: "rule" | "hook";
  readonly name: string;
}

const create: Command<NewOptions> = async (context, options) => {
  const { kind } = options;
  const name = toFileName(options.name);
  const directory = await existingConfigDirectory(context, options);
  const starters = kind === "rule" ? ruleStarter(name) : hookStarter(name);
  const taken = starters.find((starter) => existsSync(join(directory, starter.name)));
  if (taken !== undefined) throw new CliFailure(`${taken.name} exists already and was left alone; choose another name`);
  for (const starter of starters) {
    const path = join(directory, starter.name);
    await makePrivateDirectory(dirname(path));
    await createPrivateFile(path, starter.text);
  }
  await writeEditorTypes(directory);

  const paint = painter(context.stdout);
  const [file, test] = starters.map((starter) => starter.name);
  context.stdout.write(
    `Wrote ${paint("bold", file ?? "")} and ${paint("bold", test ?? "")} in ${shortPath(directory)}\n` +
      `A running server loads it at once; it needs no entry in ccproxy.yaml, except to get params or grants.\n\nNext steps\n${table(
        nextSteps(kind, name, test ?? "").map(([command, why]) => [command, paint("dim", why)]),
        "  ",
      )}`,
  );
};
export default create;

function nextSteps(kind: "rule" | "hook", name: string, test: string): readonly (readonly [command: string, why: string])[] {
  const file = `${kind}s/${name}.ts`;
  return [
    [`edit ${file}`, kind === "rule" ? "say what it matches" : "change what it does"],
    [`ccproxy test ${test}`, "run its test in the sandbox"],
    kind === "rule"
      ? ["edit config.yaml", `add an entry with model_name: ${name}, where matches go`]
      : ["ccproxy logs -f", "see what it logs"],
    ["ccproxy check", "see whether it loads"],
    ["ccproxy explain last", "see what it did with the last request"],
  ];
}

/** `VipUsers`, `vip_users` and `vip-users.ts` are all vip-users. */
function toFileName(given: string): string {
  const name = given
    .replace(/\.ts$/, "")
    .replaceAll(/([a-z\d])([A-Z])/g, "$1-$2")
    .replaceAll(/[\s_]+/g, "-")
    .toLowerCase();
  if (/^[a-z][a-z\d]*(?:-[a-z\d]+)*$/.test(name) && name.length <= 60) return name;
  throw new CliFailure(`"${given}" cannot be a name; wanted letters, digits and single dashes, beginning with a letter, e.g. vip-users`, 2);
}
