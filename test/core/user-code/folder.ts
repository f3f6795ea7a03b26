/** A configuration folder on the disk, and what is loaded from it. */

import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import vm from "node:vm";
import { formatFaults } from "../../../core/config/format.ts";
import type { CallbackEntry, Fault, HookEntry, RuleEntry } from "../../../core/config/types.ts";
import { noOptions, noParameters } from "../../../core/config/unit-options.ts";
import type { BundleCache } from "../../../core/user-code/bundle-cache.ts";
import { loadUserCode, type UserCodeInput } from "../../../core/user-code/load.ts";
import type { UserCode, UserUnit } from "../../../core/user-code/types.ts";

export interface Folder extends AsyncDisposable {
  /** Absolute, without links. */
  readonly root: string;
  /** Beside it, outside. */
  readonly outside: string;
  path(name: string): string;
  put(files: Readonly<Record<string, string>>): Promise<void>;
  load(input?: LoadShort, cache?: BundleCache): Promise<UserCode>;
  /** As a terminal shows them, without the folder's own name. */
  show(faults: readonly Fault[]): string;
}

export interface LoadShort extends Partial<Omit<UserCodeInput, "rules" | "hooks" | "callbacks">> {
  readonly rules?: readonly string[];
  readonly hooks?: readonly string[];
  readonly callbacks?: readonly string[];
}

export async function makeFolder(files: Readonly<Record<string, string>> = {}): Promise<Folder> {
  const top = await realpath(await mkdtemp(join(tmpdir(), "ccproxy-code-")));
  const root = join(top, "config");
  const outside = join(top, "outside");
  await mkdir(root);
  await mkdir(outside);
  const folder: Folder = {
    root,
    outside,
    path: (name) => join(root, name),
    async put(more) {
      for (const [name, text] of Object.entries(more)) {
        await mkdir(dirname(join(root, name)), { recursive: true });
        await writeFile(join(root, name), text);
      }
    },
    async load({ rules = [], hooks = [], callbacks = [], ...rest } = {}, cache) {
      const file = join(root, "ccproxy.yaml");
      const at = (index: number, line: number): { file: string; line: number; column: number } => ({ file, line: line + index, column: 5 });
      const input: UserCodeInput = {
        directory: root,
        rules: rules.map((reference, index): RuleEntry => {
          const location = at(index, 100);
          return { label: `label${index}`, reference, params: noParameters, options: noOptions, location, locate: () => location };
        }),
        hooks: hooks.map((reference, index): HookEntry => ({
          reference,
          params: noParameters,
          options: noOptions,
          location: at(index, 200),
        })),
        callbacks: callbacks.map((reference, index): CallbackEntry => ({ reference, location: at(index, 300) })),
        autoload: true,
        registryRuleNames: new Set(["ThinkingRule", "TokenCountRule"]),
        readyMadeDirectory: join(top, "ready-made"),
        ...rest,
      };
      return await (cache === undefined ? loadUserCode(input) : loadUserCode(input, cache));
    },
    show: (faults) => formatFaults(faults).replaceAll(`${root}/`, "").replaceAll(root, "CONFIG").replaceAll(outside, "OUTSIDE"),
    async [Symbol.asyncDispose]() {
      await rm(top, { recursive: true, force: true });
    },
  };
  await folder.put(files);
  return folder;
}

/** The exports of a unit, as a sandbox would see them. */
export function runUnit({ code, file }: Pick<UserUnit, "code" | "file">): Record<string, unknown> {
  const context = vm.createContext({});
  new vm.Script(code, { filename: file }).runInContext(context);
  return (context as Record<string, Record<string, unknown>>)["__exports"] ?? {};
}
