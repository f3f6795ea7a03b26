/** The rules of trusted project files, loaded by content hash when `ccproxy run` first names one. */

import type { Logger } from "../sdk/log.ts";
import { checkProjectLabels, parseProject } from "./config/project.ts";
import { readTrusted } from "./config/trust.ts";
import type { Registry } from "./registry.ts";
import { type LoadedRule, type Snapshot, loadRules } from "./snapshot.ts";

/** As many project files as may be in use at once; beyond it the oldest is read again when needed. */
const capacity = 64;

export class ProjectRules {
  readonly #registry: Registry;
  readonly #logger: Logger;
  readonly #loaded = new Map<string, Promise<readonly LoadedRule[] | undefined>>();

  constructor(registry: Registry, logger: Logger) {
    this.#registry = registry;
    this.#logger = logger;
  }

  /** Undefined when the file is not trusted or no longer fits the configuration. */
  get(hash: string, snapshot: Snapshot): Promise<readonly LoadedRule[] | undefined> {
    const key = `${snapshot.id} ${hash}`;
    let rules = this.#loaded.get(key);
    if (rules === undefined) {
      rules = this.#load(hash, snapshot).catch((error: unknown) => {
        this.#logger.warn({ project: hash, error }, "the rules of a project file could not be loaded and do not apply");
        return undefined;
      });
      this.#loaded.set(key, rules);
      const oldest = this.#loaded.keys().next();
      if (this.#loaded.size > capacity && oldest.done !== true) this.#loaded.delete(oldest.value);
    }
    return rules;
  }

  async #load(hash: string, snapshot: Snapshot): Promise<readonly LoadedRule[] | undefined> {
    const content = /^[0-9a-f]{64}$/.test(hash) ? await readTrusted(snapshot.config.directory, hash) : undefined;
    if (content === undefined) {
      this.#logger.warn({ project: hash }, "a request names a project file that is not trusted; its rules do not apply");
      return undefined;
    }
    const parsed = parseProject(content, hash);
    const labels = new Set(snapshot.routes.listed);
    const { rules, faults } = loadRules(parsed.rules, this.#registry);
    const errors = [...parsed.faults, ...checkProjectLabels(parsed.rules, labels), ...faults].filter(
      ({ severity }) => severity === "error",
    );
    if (errors.length === 0) return rules;
    this.#logger.warn({ project: hash, faults: errors }, "the rules of a project file do not fit the configuration and do not apply");
    return undefined;
  }
}
