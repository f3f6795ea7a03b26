/** Finds the attacks: every file below cases/ is one. */

import { readdir } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Attack } from "./attack.ts";

export interface FoundAttack {
  /** Relative to cases/, e.g. `given/loop.ts`. */
  readonly file: string;
  readonly attack: Attack;
}

export async function findAttacks(): Promise<readonly FoundAttack[]> {
  const folder = fileURLToPath(new URL("cases/", import.meta.url));
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts")).sort();
  return Promise.all(
    files.map(async (file): Promise<FoundAttack> => {
      const module = (await import(/* @vite-ignore */ pathToFileURL(folder + file).href)) as { readonly default: Attack };
      return { file, attack: module.default };
    }),
  );
}
