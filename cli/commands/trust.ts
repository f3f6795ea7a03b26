/** `ccproxy trust`: lets the rules of a project's own file take part in `ccproxy run` there. */

import { homedir } from "node:os";
import { findProjectFile, ProjectFileError, type ProjectFile } from "../../core/config/discover.ts";
import { formatFaults } from "../../core/config/format.ts";
import { loadConfig } from "../../core/config/load.ts";
import { checkProjectLabels, parseProject } from "../../core/config/project.ts";
import { listTrusted, projectHash, trustProject, untrust } from "../../core/config/trust.ts";
import type { RuleEntry } from "../../core/config/types.ts";
import { createRegistry } from "../../core/registry.ts";
import { buildSnapshot, loadRules, withoutUserCode } from "../../core/snapshot.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import { existingConfigDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { painter, shortPath, table } from "../display.ts";
import { CliFailure } from "../failure.ts";

interface TrustOptions extends CommonOptions {
  readonly list?: boolean;
  readonly remove?: boolean;
}

const trust: Command<TrustOptions> = async (context, options) => {
  const directory = await existingConfigDirectory(context, options);
  if (options.list === true) return await list(context, directory);
  const project = await requireProject(context.cwd);
  if (options.remove === true) return await remove(context, directory, project);
  const rules = await checkedRules(context, directory, project);
  const { hash } = await trustProject(directory, project.content);
  const paint = painter(context.stdout);
  context.stdout.write(
    `Trusted ${paint("bold", shortPath(project.file))}, as it is now (${hash.slice(0, 12)}). Its rules come after your own:\n` +
      table(
        rules.map(({ label, reference }) => [paint("cyan", label), reference]),
        "  ",
      ) +
      `They count for "ccproxy run" in this folder. A change to the file has to be trusted again.\n`,
  );
  return 0;
};
export default trust;

async function requireProject(cwd: string): Promise<ProjectFile> {
  const project = await findProjectFile(cwd, homedir()).catch((error: unknown) => {
    throw error instanceof ProjectFileError ? new CliFailure(error.message, 1, { cause: error }) : error;
  });
  if (project !== undefined) return project;
  throw new CliFailure(
    `there is no project file in ${shortPath(cwd)} or above it; wanted .ccproxyrc, .ccproxyrc.yaml, .ccproxyrc.json or "ccproxy" in package.json`,
  );
}

/** @throws CliFailure with everything that is wrong: what does not fit would not apply, so it is not trusted */
async function checkedRules(context: CliContext, directory: string, project: ProjectFile): Promise<readonly RuleEntry[]> {
  const registry = createRegistry(builtinPlugins);
  const loaded = await loadConfig({ directory, environment: context.env });
  const { snapshot, faults } = await buildSnapshot(loaded, { registry, loadUserProgram: withoutUserCode }, 1, new Date());
  if (snapshot === undefined) {
    throw new CliFailure(
      `the configuration in ${shortPath(directory)} has errors, so the labels of the project cannot be checked\n${formatFaults(faults).trimEnd()}`,
    );
  }
  const parsed = parseProject(project.content, project.file, project.origin);
  const all = [
    ...parsed.faults,
    ...checkProjectLabels(parsed.rules, new Set(snapshot.routes.listed)),
    ...loadRules(parsed.rules, registry).faults,
  ];
  if (all.some(({ severity }) => severity === "error")) {
    throw new CliFailure(`${shortPath(project.file)} is not trusted:\n${formatFaults(all).trimEnd()}`);
  }
  if (all.length > 0) context.stderr.write(formatFaults(all));
  return parsed.rules;
}

async function list({ stdout }: CliContext, directory: string): Promise<number> {
  const trusted = await listTrusted(directory);
  if (trusted.length === 0) stdout.write("no project file is trusted\n");
  stdout.write(table(trusted.map(({ hash, path, trustedAt }) => [hash.slice(0, 12), trustedAt.toLocaleString("sv"), shortPath(path)])));
  return 0;
}

async function remove({ stdout }: CliContext, directory: string, project: ProjectFile): Promise<number> {
  if (!(await untrust(directory, projectHash(project.content)))) {
    throw new CliFailure(`${shortPath(project.file)}, as it is now, is not trusted; "ccproxy trust --list" shows what is`);
  }
  stdout.write(`No longer trusted: ${shortPath(project.file)}\n`);
  return 0;
}
