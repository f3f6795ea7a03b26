/** Units of user code as they are once loaded, from the few things a test cares about. */

import type { LoadedUnit } from "../../core/phases/user-program.ts";
import type { UnitManifest } from "../../core/sandbox/protocol.ts";
import type { UserUnit } from "../../core/user-code/types.ts";
import { noOptions, noParameters } from "../../core/config/unit-options.ts";

export interface UnitInit {
  readonly index?: number;
  readonly source?: Partial<UserUnit>;
  readonly manifest?: Partial<UnitManifest>;
  readonly label?: string;
  readonly required?: boolean;
  readonly onError?: "skip" | "deny";
}

export function loadedUnit({ index = 0, source, manifest, label, required = false, onError = "skip" }: UnitInit = {}): LoadedUnit {
  const file = source?.file ?? "hooks/a.ts";
  return {
    index,
    source: {
      kind: "hook",
      reference: file,
      file,
      path: `/config/${file}`,
      origin: "configured",
      entry: undefined,
      label: undefined,
      exportName: "default",
      params: noParameters,
      options: noOptions,
      location: { file: `/config/${file}`, line: 1, column: 1 },
      code: "",
      map: "",
      hash: `hash of ${file}`,
      ...source,
    },
    manifest: {
      unit: index,
      error: undefined,
      defined: "hook",
      label: undefined,
      summary: undefined,
      phases: ["preCall"],
      required: false,
      buffer: false,
      events: undefined,
      ...manifest,
    },
    label: label ?? file,
    required,
    onError,
  };
}
