/** Reads `ccproxy.yaml`: rules, hooks, token sources, the server itself. */

import { checkKeys, checkMapping } from "./check.ts";
import { findFile } from "./find-file.ts";
import { readHooks } from "./hooks.ts";
import { laterCcproxyKeys } from "./later-keys.ts";
import type { Report } from "./report.ts";
import { readRules } from "./rules.ts";
import { ccproxySchema } from "./schema-ccproxy.ts";
import { sectionSchema } from "./schema-litellm.ts";
import { readLog, readServer } from "./server-settings.ts";
import { readTokenSources } from "./token-sources.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { Config } from "./types.ts";
import { reportUnset } from "./unset-references.ts";
import { resolveReferences, type Reference, type Variables } from "./variables.ts";

export interface CcproxyFile extends Pick<
  Config,
  "server" | "log" | "defaultModelPassthrough" | "rules" | "hooks" | "autoload" | "record" | "tokenSources"
> {
  readonly files: readonly string[];
  readonly references: readonly Reference[];
}

/** Defaults where there is no such file. What of it is right; what is not is in the report. */
export async function readCcproxyFile(directory: string, variables: Variables, report: Report): Promise<CcproxyFile> {
  const found = await findFile(directory, "ccproxy", report);
  const files = found === undefined ? [] : [found.file];
  // An empty file is one without sections.
  const written = found?.tree === undefined || found.tree.value === null ? undefined : found.tree;
  if (written !== undefined && !isMapping(written.value))
    report.error({ tree: written, path: [] }, "holds no mapping; wanted a section ccproxy.");
  if (written === undefined || !isMapping(written.value)) {
    const server = readServer({}, undefined, report);
    const log = readLog({}, undefined, report);
    const nothing = { defaultModelPassthrough: undefined, rules: [], hooks: [], tokenSources: new Map(), references: [] };
    return { files, server, log, ...nothing, autoload: true, record: false };
  }
  const { tree, references } = resolveReferences(written, variables);
  reportUnset(tree, references, report);
  const root: Place = { tree, path: [] };
  checkSections(root, report);
  const section = within(root, "ccproxy");
  const keys = valueOf(section) == null ? {} : (checkMapping(section, ccproxySchema, report) ?? {});
  const known = { effective: Object.keys(ccproxySchema.shape), laterNote: (key: string) => laterCcproxyKeys.get(key) };
  checkKeys(section, known, { unknown: "error", told: new Set() }, report);
  return {
    files,
    server: readServer(keys, root, report),
    log: readLog(keys, section, report),
    defaultModelPassthrough: keys.default_model_passthrough,
    rules: readRules(within(section, "rules"), report),
    hooks: readHooks(within(section, "hooks"), report),
    autoload: keys.autoload ?? true,
    record: keys.record ?? false,
    tokenSources: readTokenSources(section, keys.credentials, report),
    references,
  };
}

/** An unknown section stops the start: `ccpoxy:` would mean that nothing is routed, silently. */
function checkSections(root: Place, report: Report): void {
  const misplaced = Object.keys(sectionSchema.shape);
  for (const key of misplaced) {
    if (valueOf(within(root, key)) !== undefined)
      report.error({ ...within(root, key), part: "key" }, "belongs in config.yaml; here it has no effect.");
  }
  const known = { effective: ["ccproxy", "litellm", ...misplaced] };
  checkKeys(root, known, { unknown: "error", told: new Set() }, report);
}
