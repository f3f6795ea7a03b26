/** The version of this package, read from the package.json that stands above sources and build alike. */

import { readFileSync } from "node:fs";

export const version: string = readVersion([new URL("../package.json", import.meta.url), new URL("../../package.json", import.meta.url)]);

function readVersion(candidates: readonly URL[]): string {
  for (const candidate of candidates) {
    try {
      const manifest: { readonly name?: string; readonly version?: string } = JSON.parse(readFileSync(candidate, "utf8"));
      if (manifest.name === "ccproxy" && manifest.version !== undefined) return manifest.version;
    } catch {
      continue;
    }
  }
  return "unknown";
}
