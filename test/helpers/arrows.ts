/** Which folder may import which: the rule itself, so that a test can prove that it bites. */

import path from "node:path";

export interface SourceFile {
  /** Relative to the root of the project, with slashes. */
  readonly file: string;
  readonly text: string;
}

export interface Violation {
  readonly file: string;
  readonly specifier: string;
  readonly reason: string;
}

/** What a file of each folder may import, besides its own folder. `packages`: npm packages and Node's own modules, or these alone. */
const allowed: readonly { readonly folder: RegExp; readonly may: readonly RegExp[]; readonly packages: boolean | "node" }[] = [
  // For plugins and core, never for user code.
  { folder: /^sdk\/hub\//, may: [/^sdk\//], packages: "node" },
  { folder: /^sdk\//, may: [/^sdk\//], packages: false },
  { folder: /^core\//, may: [/^core\//, /^sdk\//], packages: true },
  { folder: /^plugins\/index\.ts$/, may: [/^plugins\/[^/]+\/(?:index|plugin)\.ts$/, /^sdk\//], packages: false },
  { folder: /^plugins\//, may: [/^sdk\//], packages: true },
  { folder: /^hooks\//, may: [/^hooks\//], packages: false },
  { folder: /^cli\//, may: [/^cli\//, /^core\//, /^sdk\//, /^plugins\/index\.ts$/], packages: true },
];

/** Every import that points the wrong way. */
export function findViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ file, text }) => importsOf(text).flatMap((specifier) => check(file, specifier) ?? []));
}

function check(file: string, specifier: string): Violation | undefined {
  const rule = allowed.find(({ folder }) => folder.test(file));
  if (rule === undefined) return undefined;
  if (!specifier.startsWith(".")) {
    const own = file.startsWith("hooks/") && specifier === "ccproxy/sdk";
    const isAllowed = rule.packages === "node" ? specifier.startsWith("node:") : rule.packages;
    return isAllowed || own ? undefined : { file, specifier, reason: `${folderOf(file)} imports no packages` };
  }
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const ownFolder = file.startsWith("plugins/") && target.startsWith(`plugins/${file.split("/")[1]}/`);
  if (ownFolder || rule.may.some((pattern) => pattern.test(target))) return undefined;
  return { file, specifier, reason: `${folderOf(file)} may not import ${folderOf(target)}` };
}

function folderOf(file: string): string {
  return file
    .split("/")
    .slice(0, file.startsWith("plugins/") ? 2 : 1)
    .join("/");
}

/** Static imports, re-exports and dynamic imports with a literal. */
function importsOf(text: string): readonly string[] {
  const statement = /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;
  return [...text.matchAll(statement)].flatMap((match) => match[1] ?? match[2] ?? []);
}
