/** Reads, from a bundled script, what it exports. */

/** The list of exports as esbuild writes it, when it is written so. */
const list = /\b__export\((\w+), \{\n([^]*?)\n {2}\}\);/g;

/** Whether a bundle began with a module that has named exports, not with a CommonJS file. */
export function isModuleOfNames(code: string): boolean {
  return entryModule(code) !== undefined;
}

/** Whether the name is among them for certain. A no may also mean that it comes by way of `export *`. */
export function surelyExports(code: string, name: string): boolean {
  const entry = entryModule(code);
  if (entry === undefined) return false;
  for (const [, module, names] of code.matchAll(list)) {
    if (module === entry) return (names ?? "").split("\n").some((line) => line.startsWith(`    ${name}: () => `));
  }
  return false;
}

function entryModule(code: string): string | undefined {
  return /return __toCommonJS\((\w+)\);\n\}\)\(\);\s*$/.exec(code)?.[1];
}
