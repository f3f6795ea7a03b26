/** Keeps bundles from one reload to the next; what did not change is not compiled again. */

import { readdir } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { bundle, readExports, type Bundle, type BundleResult } from "./bundle.ts";
import type { Entry } from "./bundle-plugin.ts";
import { codeEndings } from "./near-misses.ts";
import { fileSignature, readSource } from "./read-source.ts";

export interface BundleCache {
  /** @param compilerOptions JSON, see `tsconfig.ts` */
  get(entry: Entry, compilerOptions: string): Promise<BundleResult>;
  /** Undefined for a CommonJS file. */
  exports(entry: Entry, compilerOptions: string): Promise<readonly string[] | undefined>;
}

interface Kept {
  readonly bundle: Bundle;
  /** Names of the code files in the user's folders that were read from: a new one may be what an import means now. */
  readonly listing: string;
}

/** @param capacity bundles kept at most; the one unused for longest goes first */
export function createBundleCache(capacity: number, compile: typeof bundle = bundle): BundleCache {
  const kept = new Map<string, Kept>();
  return {
    async get(entry, compilerOptions) {
      const key = JSON.stringify([entry, compilerOptions]);
      const known = kept.get(key);
      kept.delete(key);
      if (known !== undefined && (await isCurrent(known))) {
        kept.set(key, known);
        return { type: "bundled", bundle: known.bundle };
      }
      const result = await compile(entry, compilerOptions);
      if (result.type === "bundled") kept.set(key, { bundle: result.bundle, listing: await list(result.bundle) });
      const oldest = kept.keys().next();
      if (kept.size > capacity && oldest.done !== true) kept.delete(oldest.value);
      return result;
    },
    exports: readExports,
  };
}

async function isCurrent({ bundle, listing }: Kept): Promise<boolean> {
  const same = await Promise.all(
    bundle.inputs.map(async ({ path, zone, signature, digest }) => {
      if ((await fileSignature(path)) === signature) return true;
      const source = await readSource(path, zone.root);
      return source.type === "read" && source.digest === digest;
    }),
  );
  return same.every(Boolean) && (await list(bundle)) === listing;
}

async function list({ inputs }: Bundle): Promise<string> {
  const folders = new Set(inputs.filter(({ zone }) => zone.kind === "user").map(({ path }) => dirname(path)));
  const names = await Promise.all(
    Array.from(folders, async (folder) => {
      const files = await readdir(folder).catch(() => []);
      return [folder, ...files.filter((name) => codeEndings.includes(extname(name)) || name === "package.json").sort()];
    }),
  );
  return JSON.stringify(names);
}
