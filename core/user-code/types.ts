/** User code as found, bundled and ready to be loaded into a sandbox. */

import type { Fault, Location, Parameters, UnitOptions } from "../config/types.ts";

/** One rule, hook or callback of the configuration or of the folders beside it. */
export interface UserUnit {
  readonly kind: "rule" | "hook" | "callback";
  /** As configured, or the file's name (`rules/vip.ts`) where no entry names it. */
  readonly reference: string;
  /** Relative to the folder of the configuration, or `ccproxy:hooks/…` for a ready-made one, `npm:package/…` for one of a package. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  readonly origin: "configured" | "autoloaded" | "ready-made" | "package";
  /** Index of its entry in the list of the configuration; undefined for an autoloaded one. */
  readonly entry: number | undefined;
  /** Of a rule's entry. */
  readonly label: string | undefined;
  /** `default` or the name of an export. */
  readonly exportName: string;
  readonly params: Parameters;
  readonly options: UnitOptions;
  /** Of the entry; the file itself, line 1, for an autoloaded one. */
  readonly location: Location;
  /** IIFE that leaves the exports in `__exports`. */
  readonly code: string;
  /** Source map, JSON. */
  readonly map: string;
  /** SHA-256 over the code and everything else it depends on, hexadecimal. */
  readonly hash: string;
}

export interface IgnoredFile {
  readonly file: string;
  readonly why: string;
}

export interface UserCode {
  /** Rules in the order in which they are asked, then hooks in the order in which they run, then callbacks; autoloaded ones last of their kind. */
  readonly units: readonly UserUnit[];
  readonly ignored: readonly IgnoredFile[];
  readonly faults: readonly Fault[];
  /** Every file and folder whose change may change the outcome, absolute. */
  readonly files: readonly string[];
}
