/** Where our own sdk lies: beside the sources in a checkout, beside the build in the published package. */

import { realpathSync } from "node:fs";
import { dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Zone } from "./zone.ts";

const ending = extname(fileURLToPath(import.meta.url));
const index = fileURLToPath(new URL(`../../sdk/index${ending}`, import.meta.url));
const root = realpathSync(dirname(index));

export const sdkZone: Zone = { kind: "sdk", root, name: "ccproxy/sdk" };

/** Absolute, without links. */
export function sdkFile(specifier: "ccproxy/sdk" | "ccproxy/sdk/testing"): string {
  return `${root}/${specifier === "ccproxy/sdk" ? "index" : "testing"}${ending}`;
}
